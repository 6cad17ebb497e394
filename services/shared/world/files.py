"""The files that describe worlds: read, put together where one extends another, and checked."""

from __future__ import annotations

import os
from collections.abc import Mapping
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

import yaml

SUFFIXES = (".yaml", ".yml")
"""What ends with one is a path; anything else is the name of a world that comes with the services."""


def read_yaml(text: str) -> Any:
    """A YAML document by libyaml where PyYAML has it: ten times as fast, and read at every start."""
    return yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506  # both are safe loaders


def read(name: str) -> dict[str, Any]:
    """The description of the world ``name``; what it extends is in it already.

    A world may extend another, whose path is as seen from the file. What it says of an organization with a slug of the
    other takes the place of what is said there, key by key; further organizations come behind.

    Raises:
        ValueError: there is no such world, or its file is not one; says what is wrong with it, and where.
    """
    return _read(name, ())


def _read(name: str, above: tuple[str, ...]) -> dict[str, Any]:
    if name in above:
        raise ValueError(f"a world cannot extend itself: {', which extends '.join((*above, name))}")
    try:
        document = read_yaml(_source(name).read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:  # ValueError: no UTF-8, or what only looks like a date
        raise ValueError(f"the world {name} cannot be read: {error}") from error
    if not name.endswith(SUFFIXES):  # ours, which scenarios hold to what may be written
        return _extended(_read(document["extends"], above), document) if "extends" in document else dict(document)
    from services.shared.world import written  # noqa: PLC0415  # its models take 20 ms, which a start need not wait for

    if isinstance(document, dict) and "extends" in document:
        written.check(document, name, written.Extension)
        document = _extended(_read(_seen_from(name, document["extends"]), (*above, name)), document)
    written.check(document, name)
    return dict(document)


def known() -> list[str]:
    """The worlds that come with the services."""
    return sorted(entry.name[:-5] for entry in _folder().iterdir() if entry.name.endswith(".yaml"))


def _folder() -> Traversable:
    return resources.files("services.shared.world")


def _source(name: str) -> Traversable | Path:
    if name.endswith(SUFFIXES):
        return Path(name)
    if name not in known():
        raise ValueError(f"there is no world named {name!r}; known: {', '.join(known())}, and any file *.yaml")
    return _folder().joinpath(f"{name}.yaml")


def _seen_from(name: str, other: str) -> str:
    return os.path.normpath(Path(name).parent / other) if other.endswith(SUFFIXES) else other


def _extended(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    of = {each["slug"]: each for each in below["organizations"]}
    for each in above.get("organizations", ()):
        of[each["slug"]] = of.get(each["slug"], {}) | each
    return {**below, **above, "organizations": list(of.values())}
