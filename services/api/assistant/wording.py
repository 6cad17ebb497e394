"""What the simulated model says, as Markdown. Every key, title and number in it comes from a tool's result."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from pydantic import ValidationError

from services.api.assistant.persons import Part, Person, PersonPage
from services.api.assistant.steps import ToolReturned
from services.api.ticket_views import Ticket, TicketPage
from services.shared.problems import NotFound, Problem

ONESELF = {"me": "you", "none": "nobody"}
"""What the words of a search for persons mean to who asks."""

_PARTS: Mapping[Part, str] = {"assignee": "Assigned to", "reporter": "Reported by"}
_ACTIVE = re.compile(r"([\\`*_\[\]<>&~|!])")


def ticket(found: Ticket) -> str:
    """One ticket with all that matters about it."""
    facts = f"{_plain(found.status)}, {found.priority} priority, {found.type}"
    labels = f"\n\nLabels: {', '.join(map(literal, found.labels))}" if found.labels else ""
    text = f"\n\n{_quote(found.description)}" if found.description.strip() else ""
    return f"{_name(found)}\n\nIt is {facts}.{labels}{text}"


def tickets(page: TicketPage) -> str:
    """A list of tickets, and how many there are besides."""
    if not page.items:
        return "I found no ticket like that among those you may see."
    count = "One ticket" if page.total == 1 else f"{page.total} tickets"
    part = f", the last changed {len(page.items)} of them" if len(page.items) < page.total else ""
    lines = "\n".join(f"- {_name(found)} ({_plain(found.status)}, {found.priority})" for found in page.items)
    return f"{count}{part}:\n\n{lines}"


def tickets_of(part: Part, somebody: str, page: TicketPage) -> str:
    """The same for the tickets of ``somebody``, which is Markdown."""
    return f"{_PARTS[part]} {somebody}: {tickets(page)}"


def person(found: Person) -> str:
    """A member's name, and the one nobody else has."""
    return f"**{literal(found.display_name)}** ({literal(found.username)})"


def not_one_person(page: PersonPage, name: str) -> str:
    """Why nobody's tickets were looked for."""
    if not page.items:
        return f"I found nobody called {literal(name)} among the members you may see, so I searched no tickets."
    lines = "\n".join(f"- {person(found)}" for found in page.items)
    more = f", of whom I show {len(page.items)}" if len(page.items) < page.total else ""
    return f"{literal(name)} may be one of {page.total} people{more}. Whom do you mean?\n\n{lines}"


def failed(returned: ToolReturned) -> str:
    """Why a call brought nothing."""
    problem = _problem(returned.content)
    if problem is None:
        return f"I called `{returned.call.tool}`, and it failed without saying why."
    if problem.code == NotFound.code:
        return f"{literal(problem.detail)} At least none that you may see."
    return f"I called `{returned.call.tool}`, and it failed: {literal(problem.detail)}"


def unreadable(tool: str) -> str:
    """A result that is not what its tool promises."""
    return f"I called `{tool}`, and cannot read what it answered."


def missing(tools: Iterable[str]) -> str:
    """A tool is not offered, most likely because the sign-in does not cover it."""
    names = ", ".join(f"`{tool}`" for tool in sorted(tools))
    return f"For this I need {names}, and with your present sign-in I may not use that."


def introduction(abilities: Iterable[str]) -> str:
    """Who speaks, and what it can do."""
    listed = "\n".join(f"- {ability}" for ability in abilities)
    return f"I am the simulated model: fixed rules, and no language model behind them. Say\n\n{listed}"


def literal(text: str) -> str:
    """``text`` on one line, with nothing in it that Markdown would take for markup (CommonMark §2.4)."""
    return _ACTIVE.sub(r"\\\1", " ".join(text.split()))


def _name(found: Ticket) -> str:
    return f"**{literal(found.key)}** {literal(found.title)}"


def _plain(status: str) -> str:
    return status.replace("_", " ")


def _quote(text: str) -> str:
    return "\n".join(f"> {_line(line)}" for line in text.splitlines())


def _line(line: str) -> str:
    # At the beginning of a line more characters are active: headings, lists, rules, code by indentation.
    return re.sub(r"^(\d*)([#+\-=.)])", r"\1\\\2", literal(line))


def _problem(content: object) -> Problem | None:
    try:
        return Problem.model_validate_json(content) if isinstance(content, str) else Problem.model_validate(content)
    except ValidationError:
        return None
