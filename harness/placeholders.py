"""What stands for a value that is only known when a stack is planned: ``{port}``, ``{folder}``, ``{mail.url}`` …"""

from __future__ import annotations

import string
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

OWN_PLACES = ("port", "url", "folder", "nonce")
"""What stands for something of the service itself, or of its stack."""


@dataclass(frozen=True)
class Place:
    """Where one service answers."""

    port: int

    @property
    def url(self) -> str:
        """Its base URL, without a trailing slash."""
        return f"http://localhost:{self.port}"


@dataclass(frozen=True)
class Places:
    """All that a placeholder can stand for: each service by its name, and what is the stack's."""

    services: Mapping[str, Place]
    folder: Path
    nonce: str

    @classmethod
    def example(cls, names: Iterable[str]) -> Places:
        """Made-up places, to see whether a text can be filled at all."""
        return cls({name: Place(number) for number, name in enumerate(names, start=1)}, Path("folder"), "nonce")


def fill(text: str, places: Places, *, service: str) -> str:
    """``text`` with every placeholder replaced; ``{{`` and ``}}`` are braces.

    Raises:
        ValueError: names the placeholder that stands for nothing.
    """
    own = places.services[service]
    known: Mapping[str, object] = {
        **places.services,
        "port": own.port,
        "url": own.url,
        "folder": places.folder,
        "nonce": places.nonce,
    }
    filled = []
    for literal, name, form, conversion in string.Formatter().parse(text):
        filled.append(literal)
        if name is None:
            continue
        first, _, attribute = name.partition(".")
        value = known.get(first)
        if isinstance(value, Place):
            value = {"port": value.port, "url": value.url}.get(attribute)
        elif attribute:
            value = None
        if value is None or form or conversion:
            hint = "{port}, {url}, {folder}, {nonce}, {NAME.url} and {NAME.port} do; write {{ for a brace"
            raise ValueError(f"{{{name}}} stands for nothing; {hint}")
        filled.append(str(value))
    return "".join(filled)
