"""What a ticket may be, and how it goes from one status to the next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from services.shared.problems import Conflict, Flaw, Invalid

TicketType = Literal["incident", "request", "question", "problem", "task"]
Priority = Literal["low", "normal", "high", "urgent"]
Status = Literal["open", "in_progress", "pending", "resolved", "closed", "cancelled"]
StatusCategory = Literal["todo", "in_progress", "done"]
Requirement = Literal["resolution"]

FIRST_STATUS: Status = "open"
STATUSES: tuple[Status, ...] = get_args(Status)
PRIORITIES: tuple[Priority, ...] = get_args(Priority)
"""The least urgent first."""

_CATEGORIES: Mapping[Status, StatusCategory] = {
    "open": "todo",
    "in_progress": "in_progress",
    "pending": "in_progress",
    "resolved": "done",
    "closed": "done",
    "cancelled": "done",
}

_NEXT: Mapping[Status, tuple[Status, ...]] = {
    "open": ("in_progress", "pending", "resolved", "cancelled"),
    "in_progress": ("open", "pending", "resolved", "cancelled"),
    "pending": ("open", "in_progress", "resolved", "cancelled"),
    "resolved": ("open", "closed"),
    "closed": (),
    "cancelled": (),
}


@dataclass(frozen=True, slots=True)
class Transition:
    """A status that can be reached in one step, and what must be told to get there."""

    to: Status
    requires: tuple[Requirement, ...]


def category(status: Status) -> StatusCategory:
    """Is it still to be done, being done (waiting included), or done with?"""
    return _CATEGORIES[status]


def transitions(status: Status) -> tuple[Transition, ...]:
    """All that leads out of a status; nothing does where the end is."""
    return tuple(Transition(to, ("resolution",) if to == "resolved" else ()) for to in _NEXT[status])


def is_reopening(status: Status, to: Status) -> bool:
    """Whether this takes back that a ticket was resolved."""
    return (status, to) == ("resolved", "open")


def resolution_after(status: Status, to: Status, *, given: str | None, present: str | None) -> str | None:
    """The resolution of a ticket that goes from one status to another: a reopened one has none any more.

    Raises:
        Conflict: that way does not exist; it names those that do.
        Invalid: ``resolved`` without a resolution, or a resolution where nothing gets resolved.
    """
    if to not in _NEXT[status]:
        raise Conflict(f"A ticket that is {status} cannot become {to}. {_ways_out(status)}")
    if to == "resolved":
        if given is None:
            raise _resolution("A ticket becomes resolved only with a resolution: how it was settled.")
        return given
    if given is not None:
        raise _resolution(f"Only a ticket that becomes resolved takes a resolution, not one that becomes {to}.")
    return None if is_reopening(status, to) else present


def _ways_out(status: Status) -> str:
    ways = _NEXT[status]
    return f"It can become {', '.join(ways)}." if ways else f"Nothing leads out of {status}."


def _resolution(says: str) -> Invalid:
    return Invalid(says, errors=[Flaw(pointer="arguments.resolution", detail=says)])
