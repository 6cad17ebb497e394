"""Other people's systems: the ``[tool.harness]`` table of a ``pyproject.toml``.

::

    [tool.harness]
    start = ["shop"]                       # what runs unless told otherwise, with all it needs; default: every service

    [tool.harness.services.shop]
    app = "shop.app:create_app"            # an ASGI factory, given listening sockets; or
    command = "node mail.js --port {port}" # any program that listens on the port it is told
    port = 7000                            # SHOP_PORT sets another one; default: any free port
    needs = ["mail", "idp"]
    health = "/healthz"                    # 2xx when it is ready; "tcp": that it accepts connections is enough
    ready_timeout = 5                      # seconds until it must be ready; default: 60
    env = { MAIL_URL = "{mail.url}", DATA = "{folder}/shop.db" }
    database_variable = "SHOP_DATABASE"    # gets the URL of an SQLite file, which a reset takes away
    warm = true                            # fork it from a process in which it was built and run once

A table of one of the five services' names changes that service; what it does not mention stays.
"""

from __future__ import annotations

import re
import shlex
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from harness.errors import HarnessError
from harness.placeholders import OWN_PLACES, Places, fill
from harness.ports import HIGHEST, Port
from harness.topology import TCP, Service

NAME = re.compile(r"[a-z][a-z0-9-]*")


Plain: TypeAlias = Annotated[str, Field(pattern=r"^[^\x00]*$")]
"""Text that a process can be given."""


class ProjectError(HarnessError):
    """``[tool.harness]`` cannot be used; names every mistake in it."""


class ServiceTable(BaseModel):
    """``[tool.harness.services.NAME]``, as the module's example shows it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    app: Annotated[str, Field(pattern=r"^[\w.]+:\w+$")] | None = None
    command: Annotated[Plain, Field(min_length=1)] | None = None
    title: str | None = None
    port: Annotated[int, Field(ge=1, le=HIGHEST, strict=True)] | None = None
    needs: tuple[str, ...] | None = None
    health: Annotated[str, Field(pattern=rf"^(?:/\S*|{TCP})$")] | None = None
    ready_timeout: Annotated[float, Field(gt=0, allow_inf_nan=False, strict=True)] | None = None
    env: Mapping[Annotated[str, Field(pattern=r"^[A-Za-z_]\w*$")], Plain] | None = None
    database_variable: str | None = None
    warm: bool = False

    @model_validator(mode="after")
    def _one_way_to_run(self) -> ServiceTable:
        if self.app is not None and self.command is not None:
            raise ValueError("give app or command, not both")
        if self.app is not None and self.health == TCP:
            raise ValueError('health = "tcp" says nothing of an app: its sockets listen before it runs')
        if self.warm and self.app is None:
            raise ValueError("warm is for an app")
        return self


class HarnessTable(BaseModel):
    """``[tool.harness]``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    start: tuple[str, ...] | None = None
    services: Mapping[str, ServiceTable] = {}


@dataclass(frozen=True)
class Manifest:
    """What a project runs: its services, their ports, and which of them start unless told otherwise."""

    services: Mapping[str, Service]
    ports: tuple[Port, ...]
    start: tuple[str, ...]


def table(path: Path) -> Mapping[str, Any] | None:
    """The ``[tool.harness]`` table of a ``pyproject.toml``; None when it has none.

    Raises:
        ProjectError: the file cannot be read, or is no TOML.
    """
    try:
        with path.open("rb") as file:
            told = tomllib.load(file).get("tool", {}).get("harness")
    except (OSError, ValueError, AttributeError) as error:
        raise ProjectError(f"{path} cannot be read", evidence=str(error), todo="correct it") from error
    if told is not None and not isinstance(told, dict):
        raise ProjectError(f"{path}: [tool.harness] is no table")
    return told


def read(path: Path, told: Mapping[str, Any], *, services: Mapping[str, Service], ports: tuple[Port, ...]) -> Manifest:
    """``services`` and ``ports`` with what the table ``told`` of ``path`` adds and changes.

    Raises:
        ProjectError: with every mistake in one message.
    """
    try:
        wanted = HarnessTable.model_validate(told)
    except ValidationError as error:
        raise _refused(path, [f"{_place(each['loc'])}: {each['msg']}" for each in error.errors()]) from error
    merged = dict(services)
    numbered = {port.service: port for port in ports}
    for name, each in wanted.services.items():
        merged[name] = _changed(services[name], each) if name in services else _made(name, each)
        known = numbered.get(name, Port(name, f"{_variable(name)}_PORT", None))
        numbered[name] = known if each.port is None else replace(known, default=each.port)
    start = tuple(merged) if wanted.start is None else wanted.start
    if mistakes := [*_mistakes(merged, services, start), *_loops(merged), *_shared(merged, numbered)]:
        raise _refused(path, mistakes)
    return Manifest(merged, tuple(numbered.values()), start)


def _made(name: str, told: ServiceTable) -> Service:
    return _changed(Service(name, told.title or name, None, f"{_variable(name)}_URL", own=False), told)


def _changed(service: Service, told: ServiceTable) -> Service:
    given = {
        "title": told.title,
        "needs": told.needs,
        "health": told.health,
        "ready_timeout": told.ready_timeout,
        "settings": told.env,
        "database_variable": told.database_variable,
    }
    changed = replace(service, **{key: value for key, value in given.items() if value is not None})  # type: ignore[arg-type]
    if told.app is not None or told.command is not None:
        changed = replace(changed, app=told.app, command=told.command, own=False, warm=told.warm)
    return changed


def _variable(name: str) -> str:
    return name.upper().replace("-", "_")


def _mistakes(merged: Mapping[str, Service], known: Mapping[str, Service], start: tuple[str, ...]) -> list[str]:
    mistakes = [f"start: there is no service {name!r}" for name in start if name not in merged]
    places = Places.example(merged)
    for name, service in merged.items():
        if not NAME.fullmatch(name) or name in OWN_PLACES:
            mistakes.append(
                f"services.{name}: a name is made of a-z, 0-9 and -, begins with a letter, "
                f"and is none of {', '.join(OWN_PLACES)}"
            )
        if name not in known and service.app is None and service.command is None:
            mistakes.append(f"services.{name}: give app or command")
        unknown = [need for need in service.needs if need not in merged]
        mistakes += [f"services.{name}.needs: there is no service {need!r}" for need in unknown]
        texts = {"command": service.command or "", **{f"env.{key}": value for key, value in service.settings.items()}}
        for where, text in texts.items():
            try:
                fill(text, places, service=name)
                if where == "command" and service.command is not None and not shlex.split(text):
                    mistakes.append(f"services.{name}.command: it is empty")
            except ValueError as error:
                mistakes.append(f"services.{name}.{where}: {error}")
    return mistakes


def _shared(services: Mapping[str, Service], ports: Mapping[str, Port]) -> list[str]:
    """Two services that would be told by the same variable."""
    told = [(variable, name) for name in services for variable in (services[name].url_variable, ports[name].variable)]
    first = dict(reversed(told))
    return [
        f"services.{name}: its {variable} is that of {first[variable]}; call it something else"
        for variable, name in told
        if first[variable] != name
    ]


def _loops(services: Mapping[str, Service]) -> list[str]:
    """Services that need themselves by way of others."""

    def needed(name: str) -> set[str]:
        found: set[str] = set()
        waiting = list(services[name].needs)
        while waiting:
            each = waiting.pop()
            if each in services and each not in found:
                found.add(each)
                waiting.extend(services[each].needs)
        return found

    return [f"services.{name}.needs: it needs itself" for name in services if name in needed(name)]


def _place(location: tuple[int | str, ...]) -> str:
    return ".".join(map(str, location)) or "[tool.harness]"


def _refused(path: Path, mistakes: list[str]) -> ProjectError:
    todo = "the table is described in the README, under “Your own services”"
    return ProjectError(f"[tool.harness] of {path} cannot be used", evidence="\n".join(mistakes), todo=todo)
