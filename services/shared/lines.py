"""Texts of users on one line among other words: nothing in them breaks out of it, turns it round or hides in it."""

from __future__ import annotations

import re
import unicodedata

ONE_LINE = (
    r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029]*"
    r"[^\x00-\x20\x7f-\xa0\xad\u034f\u061c\u115f\u1160\u1680\u17b4\u17b5\u180b-\u180f\u2000-\u200f\u2028-\u202f"
    r"\u205f-\u206f\u2800\u3000\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb]"
    r"[^\x00-\x1f\x7f-\x9f\u2028\u2029]*$"
)
"""Something that can be seen, and no control characters. Written out, because engines differ about classes."""

_UNSEEN = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0000-\U000e0fff]"
)
"""What shows nothing, besides separators and what Unicode calls control, format, private and unassigned."""

_QUOTES = str.maketrans(dict.fromkeys('“”„‟«»"', "'"))


def one_line(text: str, *, longest: int = 100) -> str:
    """The text as it can be read: what shows nothing is a space, and what is too long ends with …."""
    words = "".join(" " if _is_blank(character) else character for character in text).split()
    shown = " ".join(words)
    return shown if len(shown) <= longest else f"{shown[: longest - 1].rstrip()}…"


def quoted(text: str, *, longest: int = 100) -> str:
    """The same in quotation marks; those in the text are others."""
    return f"“{one_line(text.translate(_QUOTES), longest=longest)}”"


def _is_blank(character: str) -> bool:
    return unicodedata.category(character)[0] in "CZ" or _UNSEEN.match(character) is not None
