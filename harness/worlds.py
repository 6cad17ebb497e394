"""Which seeded worlds a system can begin with. They are files: those that come with the services, and your own."""

from __future__ import annotations

import hashlib
import importlib
from pathlib import Path

from harness.errors import HarnessError
from harness.topology import WORLD_READER, WORLDS

DEFAULT = "base"
HELP = f"the seeded world: small, base, large, or a file PATH.yaml (default: {DEFAULT})"

_SUFFIXES = (".yaml", ".yml")


def chosen(name: str) -> str:
    """The world as services are told it: its name, or the whole path of its file.

    Raises:
        HarnessError: there is no such world, or its file is not one.
    """
    if name.endswith(_SUFFIXES):
        path = Path(name).resolve()
        if not path.is_file():
            raise HarnessError(f"there is no world in {name!r}", evidence=f"{path} is not a file")
        _require_in_order(path)
        return str(path)
    known = sorted(path.stem for path in WORLDS.glob("*.yaml"))
    if name not in known:
        raise HarnessError(
            f"there is no world named {name!r}", todo=f"the worlds are {', '.join(known)}, and any file PATH.yaml"
        )
    return name


def _require_in_order(path: Path) -> None:
    module, _, function = WORLD_READER.partition(":")
    try:
        getattr(importlib.import_module(module), function)(str(path))
    except ValueError as error:
        raise HarnessError(
            f"the world in {path.name} is not in order", evidence=str(error), todo=f"worlds to compare with: {WORLDS}"
        ) from error


def mark(world: str) -> str:
    """What tells a world from every other, as a part of a file's name: the content of a file counts, not its path."""
    if not world.endswith(_SUFFIXES):
        return world
    path = Path(world)
    return f"{path.stem}-{hashlib.sha256(path.read_bytes()).hexdigest()[:16]}"
