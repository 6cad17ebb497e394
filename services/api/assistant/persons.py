"""Whose tickets somebody asks for: their own, nobody's, or those of a person they name."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from services.api.assistant.phrases import ASKING, FILLER, POLITE, QUESTION, STATUS
from services.api.views import Out

Part = Literal["assignee", "reporter"]

LONGEST_NAME = 100

_TICKETS = r"(?:tickets?|issues?)"
_NO_NAME = rf"(?:{FILLER}|{QUESTION}|{STATUS}|or|who|by|find|search|list|look|un?assigned|nobody|no|none|myself)"
_WORD = rf"(?!{_NO_NAME}\b)[^\W\d_][\w.@+-]*"
_NAME = rf"(?P<{{part}}>{_WORD}(?:\s+{_WORD}){{{{0,3}}}})"
_ASSIGNED = r"(?:(?:that|which)\s+)?(?:are\s+|is\s+)?(?:assigned\s+to|owned\s+by|worked\s+on\s+by)\s+"
_REPORTS = r"(?:reported|opened|created|filed|raised|submitted)"
_UNQUOTED = r"[^\"“„«]*?"
_BEGINNING = rf"{POLITE}(?={ASKING}|{_WORD}(?:\s+{_WORD}){{0,3}}['’]s\s){_UNQUOTED}"

_VERB = re.compile(rf"{POLITE}(?:(?:find|search|list|look\s+for)\b)?", re.IGNORECASE)

OWN = re.compile(
    rf"{_BEGINNING}\b(?P<said>{_ASSIGNED}(?:(?P<mine>me|myself)|(?P<nobodys>nobody|no[ -]one|none))\b"
    rf"|(?P<unassigned>unassigned)\b|{_REPORTS}\s+by\s+(?P<opened>me|myself)\b"
    rf"|(?:(?:that|which)\s+)?i\s+(?:have\s+)?(?P<reported>{_REPORTS})\b"
    rf"|(?P<my>my|mine)\b(?:(?<=mine)|(?=\W+(?:{STATUS}\W+)*{_TICKETS}\b)))",
    re.IGNORECASE,
)
NAMED = re.compile(
    rf"{_BEGINNING}\b(?P<said>{_ASSIGNED}{_NAME.format(part='assignee')}"
    rf"|{_REPORTS}\s+by\s+{_NAME.format(part='reporter')}"
    rf"|{_NAME.format(part='owner')}['’]s(?=\s+(?:{STATUS}\W+)*{_TICKETS}\b))",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Whose:
    """Somebody, and what they have to do with the tickets. ``name`` is as it was said; ``me`` and ``none`` are words of
    the search itself."""

    part: Part
    name: str
    rest: str
    """What else was said."""


def own(text: str) -> Whose:
    """Whose tickets a text is about that fits `OWN`."""
    found = OWN.search(text)
    assert found  # noqa: S101 - the rule was chosen because it matches
    nobody = found["nobodys"] or found["unassigned"]
    part: Part = "reporter" if found["opened"] or found["reported"] else "assignee"
    return Whose(part, "none" if nobody else "me", _without(text, found))


def named(text: str) -> Whose:
    """Whose tickets a text is about that fits `NAMED`."""
    found = NAMED.search(text)
    assert found  # noqa: S101
    name = found["reporter"] or found["assignee"] or found["owner"]
    return Whose("reporter" if found["reporter"] else "assignee", _spaced(name), _without(text, found))


def _spaced(name: str) -> str:
    return " ".join(name.rstrip(".").split())[:LONGEST_NAME]


def _without(text: str, found: re.Match[str]) -> str:
    return _VERB.sub("", f"{text[: found.start('said')]} {text[found.end('said') :]}")


class Person(Out):
    """A member, as far as their name matters."""

    id: str
    username: str
    display_name: str
    email: str


class PersonPage(Out):
    """Those whom a search for a name found, and how many there are in all."""

    items: list[Person]
    total: int


def chosen(page: PersonPage, name: str) -> Person | None:
    """Who is meant for certain: the only one found, or the only one who is called exactly that."""
    exact = _called(page.items, name)
    if len(exact) == 1:
        return exact[0]
    return page.items[0] if page.total == len(page.items) == 1 else None


def _called(people: Sequence[Person], name: str) -> list[Person]:
    wanted = name.casefold()
    return [each for each in people if wanted in map(str.casefold, (each.username, each.display_name, each.email))]
