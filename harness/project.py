"""The project whose system is run: its folder, its services and their ports."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from harness.ports import PORTS, Port
from harness.topology import ROOT, SERVICES, Service


def folder() -> Path:
    """Where the project is: its ``.env`` and its ``.harness`` are here."""
    return ROOT


def services() -> Mapping[str, Service]:
    """Every service there is, by name."""
    return SERVICES


def port_map() -> tuple[Port, ...]:
    """The port of every service."""
    return PORTS
