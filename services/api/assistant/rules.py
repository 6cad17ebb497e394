"""The rules of the simulated model. The order of `RULES` decides; no rule knows anything of a particular world."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from pydantic import ValidationError

from services.api.assistant import persons, wording
from services.api.assistant.persons import PersonPage, Whose
from services.api.assistant.phrases import FILLER, KEY, NOUNS, POLITE, QUESTION, STATUS
from services.api.assistant.steps import Call, Say, Step, ToolReturned, Turn
from services.api.ticket_views import Ticket, TicketPage


@dataclass(frozen=True)
class Rule:
    """When the user says this, and these tools are there, do that."""

    name: str
    help: str
    """What to say to get there, as Markdown."""
    example: str | None
    """Something to say that is true of any world; None if there is nothing without a key or a name in it."""
    says: re.Pattern[str]
    needs: frozenset[str]
    act: Callable[[Turn], Step]


ViewT = TypeVar("ViewT", Ticket, TicketPage, PersonPage)

_SHOW = re.compile(
    rf"{POLITE}(?:show|get|open|read|see|view|display|describe|find|look\s+(?:up|at)|tell|what(?:'s|\s+is|\s+about))\b"
    rf"\W*(?:{NOUNS}\b\W*)*{KEY}|^\W*{KEY.replace('key', 'alone')}\W*$",
    re.IGNORECASE,
)
_SEARCH = re.compile(
    rf"{POLITE}(?:(?:find|search|list|look\s+for)\b|(?=(?:{QUESTION}\b\W*)*(?:{STATUS}\W+)?tickets?\b))(?P<sought>.*)$",
    re.IGNORECASE | re.DOTALL,
)
_LEADING = re.compile(rf"\W*(?:(?P<status>{STATUS})|{FILLER}|{QUESTION})\b", re.IGNORECASE)
_TRAILING = re.compile(r"\W*\b(?:please|tickets?|issues?)\W*$", re.IGNORECASE)
_QUOTED = re.compile(r"[\"“„«](?P<text>[^\"”“»]+)[\"”“»]")

_MOST_SHOWN = 10
_LONGEST_QUERY = 200


def _show(turn: Turn) -> Step:
    if not turn.returned:
        found = _SHOW.search(turn.text)
        assert found  # noqa: S101 - the rule was chosen because it matches
        return (Call("get_ticket", {"key": (found["key"] or found["alone"]).upper()}),)
    return _tell(turn.returned[-1], Ticket, wording.ticket)


def _search(turn: Turn) -> Step:
    if not turn.returned:
        found = _SEARCH.search(turn.text)
        assert found  # noqa: S101
        return (Call("search_tickets", {**_wanted(found["sought"]), "limit": _MOST_SHOWN}),)
    return _tell(turn.returned[-1], TicketPage, wording.tickets)


def _search_own(turn: Turn) -> Step:
    whose = persons.own(turn.text)
    if not turn.returned:
        return _search_of(whose, whose.name)
    return _tell(turn.returned[-1], TicketPage, partial(wording.tickets_of, whose.part, wording.ONESELF[whose.name]))


def _search_of_somebody(turn: Turn) -> Step:
    whose = persons.named(turn.text)
    if not turn.returned:
        return (Call("list_members", {"query": whose.name, "limit": _MOST_SHOWN}),)
    page = _read(turn.returned[0], PersonPage)
    if isinstance(page, Say):
        return page
    person = persons.chosen(page, whose.name)
    if person is None:
        return Say(wording.not_one_person(page, whose.name))
    if len(turn.returned) == 1:
        return _search_of(whose, person.id)
    return _tell(turn.returned[-1], TicketPage, partial(wording.tickets_of, whose.part, wording.person(person)))


def _search_of(whose: Whose, id: str) -> Step:  # noqa: A002 - a person's, or a word for one
    return (Call("search_tickets", {**_wanted(whose.rest), whose.part: id, "limit": _MOST_SHOWN}),)


def _wanted(text: str) -> dict[str, Any]:
    """Arguments for a search: statuses named at the beginning, and what is left when filling words are taken off."""
    statuses: list[str] = []
    quoted = _QUOTED.search(text)
    if quoted:
        text = text[: quoted.start()]
    while word := _LEADING.match(text):
        if word["status"]:
            statuses.append(_status(word["status"]))
        text = text[word.end() :]
    query = quoted["text"] if quoted else _TRAILING.sub("", text).strip(" \t\r\n.,;:!?'\"")
    wanted: dict[str, Any] = {"query": query[:_LONGEST_QUERY]} if query else {}
    return wanted | ({"status": list(dict.fromkeys(statuses))} if statuses else {})


def _status(said: str) -> str:
    return {"canceled": "cancelled"}.get(said.lower(), re.sub(r"[ -]", "_", said.lower()))


def _tell(returned: ToolReturned, shape: type[ViewT], words: Callable[[ViewT], str]) -> Say:
    found = _read(returned, shape)
    return found if isinstance(found, Say) else Say(words(found))


def _read(returned: ToolReturned, shape: type[ViewT]) -> ViewT | Say:
    """What a tool returned; or why there is nothing to read."""
    if returned.failed:
        return Say(wording.failed(returned))
    try:
        return shape.model_validate(returned.content)
    except ValidationError:
        return Say(wording.unreadable(returned.call.tool))


RULES = (
    Rule(
        name="show-ticket",
        help="**show** and the key of a ticket: I read that ticket.",
        example=None,
        says=_SHOW,
        needs=frozenset({"get_ticket"}),
        act=_show,
    ),
    Rule(
        name="search-own-tickets",
        help="**list my tickets**, **tickets reported by me** or **unassigned tickets**: I search those.",
        example="List my tickets",
        says=persons.OWN,
        needs=frozenset({"search_tickets"}),
        act=_search_own,
    ),
    Rule(
        name="search-tickets-of-somebody",
        help="**list tickets assigned to** or **reported by** somebody: I look up who that is, and search theirs.",
        example=None,
        says=persons.NAMED,
        needs=frozenset({"list_members", "search_tickets"}),
        act=_search_of_somebody,
    ),
    Rule(
        name="search-tickets",
        help="**find tickets about** something, or **list open tickets**: I search those you may see.",
        example="Which tickets are open?",
        says=_SEARCH,
        needs=frozenset({"search_tickets"}),
        act=_search,
    ),
)

_INTRODUCTION = "What can you do?"


def used(tools: Sequence[str]) -> list[str]:
    """Those of ``tools`` that any rule makes use of."""
    return [tool for tool in tools if any(tool in rule.needs for rule in RULES)]


def suggestions(tools: Iterable[str]) -> list[str]:
    """Things to say that are answered by ``tools``, and how to learn of the others."""
    offered = frozenset(tools)
    return [*(rule.example for rule in RULES if rule.example and rule.needs <= offered), _INTRODUCTION]


def introduce() -> Say:
    """What to say when no rule fits."""
    return Say(wording.introduction([rule.help for rule in RULES]))
