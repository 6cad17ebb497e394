"""The project whose system is run: its folder, its services and their ports.

A project is the nearest folder, from the working directory upwards, whose ``pyproject.toml`` has a ``[tool.harness]``
table; without one it is this checkout with its five services.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from harness.ports import PORTS, Port
from harness.topology import ROOT, SERVICES, Service

VARIABLE = "HARNESS_PROJECT"
FILE = "pyproject.toml"
MCP_ENDPOINT = "/mcp"


def folder() -> Path:
    """Where the project is: its ``.env`` and its ``.harness`` are here. Our own processes are told by a variable."""
    told = os.environ.get(VARIABLE)
    return Path(told) if told else _nearest(Path.cwd())


def services() -> Mapping[str, Service]:
    """Every service there is, by name.

    Raises:
        ProjectError: the project describes them wrongly.
    """
    return _described(folder())[0]


def mcp_servers() -> tuple[str, ...]:
    """Those that are MCP servers: the resource that their tokens are for is the MCP endpoint."""
    return tuple(name for name, service in services().items() if service.resource == MCP_ENDPOINT)


def port_map() -> tuple[Port, ...]:
    """The port of every service."""
    return _described(folder())[1]


def started() -> tuple[str, ...]:
    """The services that run unless told otherwise."""
    return _described(folder())[2]


@cache
def _nearest(start: Path) -> Path:
    for place in (start, *start.parents):
        if place == ROOT:
            break
        if (place / FILE).is_file() and "tool.harness" in (place / FILE).read_text(encoding="utf-8", errors="replace"):
            return place
    return ROOT


@cache
def _described(place: Path) -> tuple[Mapping[str, Service], tuple[Port, ...], tuple[str, ...]]:
    if place == ROOT:
        return SERVICES, PORTS, tuple(SERVICES)
    from harness import manifest  # noqa: PLC0415  # pydantic, which this checkout's own commands do not need

    told = manifest.table(place / FILE)
    described = manifest.read(place / FILE, told or {}, services=SERVICES, ports=PORTS)
    return described.services, described.ports, described.start
