"""Words to find tickets by: spelled as their writer did, and the same word whatever the case."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

LONGEST = 50
MOST = 20


def normalized(labels: Iterable[str]) -> list[str]:
    """The labels without those that show nothing, or say again what one before them says; the first spelling stays."""
    spelled: dict[str, str] = {}
    for label in map(_tidy, labels):
        if label:
            spelled.setdefault(folded(label), label)
    return list(spelled.values())[:MOST]


def folded(label: str) -> str:
    """What two spellings of one label have in common."""
    return unicodedata.normalize("NFC", _tidy(label).casefold())


def _tidy(label: str) -> str:
    shown = "".join(" " if unicodedata.category(character) == "Cc" else character for character in label)
    return " ".join(unicodedata.normalize("NFC", shown).split())[:LONGEST].strip()
