"""Filters and paths of attributes (RFC 7644 §3.4.2.2, §3.5.2): of the language only ``eq`` and ``and``."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from services.idp.scim.errors import ScimError, ScimType
from services.idp.scim.users import ATTRIBUTES, PARTS, USER, Document

_NAME = r"[A-Za-z][A-Za-z0-9_-]*"
_VALUE = r'"(?:[^"\\]|\\.)*"|true|false|null'
_COMPARISON = re.compile(rf"\s*({_NAME}(?:\.{_NAME})?)\s+eq\s+({_VALUE})\s*", re.IGNORECASE)
_AND = re.compile(r"and(?=\s)", re.IGNORECASE)
_PATH = re.compile(rf"(?:{re.escape(USER)}:)?({_NAME})(?:\[(.*)\])?(?:\.({_NAME}))?", re.IGNORECASE | re.DOTALL)

_EXACT = frozenset({"id"})
"""Attributes compared with regard to case."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """One ``attribute eq value``; the attribute may be a part of another."""

    names: tuple[str, ...]
    value: Any

    def holds(self, of: Any) -> bool:
        """Whether it is so: of a list, for one of its items."""
        for name in self.names:
            of = [each.get(name) for each in of] if isinstance(of, list) else of.get(name)
        if isinstance(of, list):
            return any(self._same(each.get("value") if isinstance(each, dict) else each) for each in of)
        return self._same(of)

    def _same(self, value: Any) -> bool:
        if isinstance(value, str) and isinstance(self.value, str) and self.names[0] not in _EXACT:
            return value.casefold() == self.value.casefold()
        return type(value) is type(self.value) and bool(value == self.value)


@dataclass(frozen=True, slots=True)
class Path:
    """What an operation is about: an attribute, some of its items, a part of it."""

    attribute: str
    items: tuple[Comparison, ...] | None = None
    part: str | None = None


def filtered(text: str, people: list[Document]) -> list[Document]:
    """Those for whom a filter holds.

    Raises:
        ScimError: it is not a filter, or not one of those known here.
    """
    wanted = [Comparison(_whole(names), value) for names, value in _comparisons(text, "invalidFilter")]
    return [person for person in people if all(each.holds(person) for each in wanted)]


def path(text: str) -> Path:
    """A path as it is written in an operation.

    Raises:
        ScimError: it is not a path, or leads nowhere.
    """
    found = _PATH.fullmatch(text)
    if found is None:
        raise ScimError(400, f"{text[:100]!r} is not a path", kind="invalidPath")
    attribute = _known(found[1], ATTRIBUTES, "invalidPath")
    parts = PARTS.get(attribute, {})
    items = None
    if found[2] is not None:
        compared = _comparisons(found[2], "invalidFilter")
        items = tuple(Comparison((_known(names, parts, "invalidPath"),), value) for names, value in compared)
    return Path(attribute, items, _known(found[3], parts, "invalidPath") if found[3] else None)


def _whole(names: str) -> tuple[str, ...]:
    first, _, rest = names.partition(".")
    attribute = _known(first, ATTRIBUTES, "invalidFilter")
    return (attribute, _known(rest, PARTS.get(attribute, {}), "invalidFilter")) if rest else (attribute,)


def _comparisons(text: str, kind: ScimType) -> list[tuple[str, Any]]:
    found, at = [], 0
    while comparison := _COMPARISON.match(text, at):
        try:
            found.append(
                (comparison[1], json.loads(comparison[2] if comparison[2][0] == '"' else comparison[2].lower()))
            )
        except ValueError:
            break
        if comparison.end() == len(text):
            return found
        link = _AND.match(text, comparison.end())
        if link is None:
            break
        at = link.end()
    raise ScimError(400, "a filter is made of ATTRIBUTE eq VALUE, joined by and; nothing else is known", kind=kind)


def _known(name: str, names: Mapping[str, str], kind: ScimType) -> str:
    known = names.get(name.lower())
    if known is None:
        raise ScimError(400, f"there is no attribute {name[:100]!r} here", kind=kind)
    return known
