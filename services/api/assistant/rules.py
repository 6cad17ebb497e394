"""The rules of the simulated model. The order of `RULES` decides; no rule knows anything of a particular world."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import ValidationError

from services.api.assistant import wording
from services.api.assistant.steps import Call, Say, Step, ToolReturned, Turn
from services.api.ticket_views import Ticket, TicketPage


@dataclass(frozen=True)
class Rule:
    """When the user says this, and these tools are there, do that."""

    name: str
    help: str
    """What to say to get there, as Markdown."""
    says: re.Pattern[str]
    needs: frozenset[str]
    act: Callable[[Turn], Step]


ViewT = TypeVar("ViewT", Ticket, TicketPage)

_POLITE = r"^\W*(?:(?:please|hi|hello|hey|can|could|would|will|you|i|want|to|like|need)\b\W*)*"
_NOUNS = r"(?:me|us|about|the|my|our|is|with|ticket|issue|number)"
_KEY = r"(?P<key>[a-z][a-z0-9]{1,9}-[1-9][0-9]{0,8})\b"
_STATUS = r"(?:open|in[ _-]progress|pending|resolved|closed|cancell?ed)"
_QUESTION = r"(?:show|get|give|see|view|display|which|what|are|is|there|do|does|we|have|me|us|all|my|our|the|any)"
_FILLER = (
    r"(?:a|all|an|and|any|about|are|called|containing|for|from|i|in|is|like|matching|me|mention(?:ing|s)?|my|named"
    r"|of|on|our|please|regarding|some|that|the|tickets?|issues?|there|titled|us|we|which|with)"
)

_SHOW = re.compile(
    rf"{_POLITE}(?:show|get|open|read|see|view|display|describe|find|look\s+(?:up|at)|tell|what(?:'s|\s+is|\s+about))\b"
    rf"\W*(?:{_NOUNS}\b\W*)*{_KEY}|^\W*{_KEY.replace('key', 'alone')}\W*$",
    re.IGNORECASE,
)
_SEARCH = re.compile(
    rf"{_POLITE}(?:(?:find|search|list|look\s+for)\b|(?=(?:{_QUESTION}\b\W*)*(?:{_STATUS}\W+)?tickets?\b))(?P<sought>.*)$",
    re.IGNORECASE | re.DOTALL,
)
_LEADING = re.compile(rf"\W*(?:(?P<status>{_STATUS})|{_FILLER}|{_QUESTION})\b", re.IGNORECASE)
_TRAILING = re.compile(r"\W*\b(?:please|tickets?|issues?)\W*$", re.IGNORECASE)
_QUOTED = re.compile(r"[\"“„«](?P<text>[^\"”“»]+)[\"”“»]")

_PERSONAL = re.compile(r"\b(?:my|mine|assigned\s+to|reported\s+by)\b", re.IGNORECASE)

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
    words = wording.tickets_of_everyone if _PERSONAL.search(turn.text) else wording.tickets
    return _tell(turn.returned[-1], TicketPage, words)


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
    if returned.failed:
        return Say(wording.failed(returned))
    try:
        return Say(words(shape.model_validate(returned.content)))
    except ValidationError:
        return Say(wording.unreadable(returned.call.tool))


RULES = (
    Rule(
        name="show-ticket",
        help="**show** and the key of a ticket: I read that ticket.",
        says=_SHOW,
        needs=frozenset({"get_ticket"}),
        act=_show,
    ),
    Rule(
        name="search-tickets",
        help="**find tickets about** something, or **list open tickets**: I search those you may see.",
        says=_SEARCH,
        needs=frozenset({"search_tickets"}),
        act=_search,
    ),
)


def introduce() -> Say:
    """What to say when no rule fits."""
    return Say(wording.introduction([rule.help for rule in RULES]))
