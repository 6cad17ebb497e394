"""What answers have told so far, to be used as arguments: real keys, ids, versions and cursors lead deeper."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

MOST = 200
ALIKE = 2
"""Letters that an id and the name of its argument share, where ids tell what they are of."""


class Memory:
    """Values by the name of the field they came in."""

    def __init__(self) -> None:
        self._told: dict[str, list[Any]] = {}

    def learn(self, answer: object) -> None:
        """Keep all texts and numbers of an answer, the newest of each name."""
        for name, value in _leaves(answer):
            told = self._told.setdefault(name, [])
            if value not in told:
                told.append(value)
                del told[:-MOST]

    def recall(self, argument: str, choice: int) -> Any:
        """A value that may mean something as ``argument``; None if none was told.

        ``team_id`` is told as an ``id``; if some of those begin as the argument does, as ``team_7``, it is one of them.
        """
        last = argument.rpartition("_")[2]
        for name in (argument, f"next_{argument}", last, last.removesuffix("s")):
            told = self._told.get(name, [])
            if known := [each for each in told if str(each).startswith(argument[:ALIKE])] or told:
                return known[choice % len(known)]
        return None


def _leaves(value: object, name: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for key, member in value.items():
            yield from _leaves(member, _snake(key))
    elif isinstance(value, list):
        for member in value:
            yield from _leaves(member, name)
    elif isinstance(value, str | int) and not isinstance(value, bool):
        yield name, value


def _snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
