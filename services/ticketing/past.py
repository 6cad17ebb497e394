"""What must have become of a seeded ticket for it to be what it is: the world tells only where it stands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import NamedTuple, cast

from services.shared.world import SeededTicket
from services.ticketing import history, labels
from services.ticketing.history import Actor, Change, Entry, EntryType, Field, Value, Visibility
from services.ticketing.workflow import FIRST_STATUS, Status

_WAY_TO: Mapping[Status, tuple[Status, ...]] = {
    "open": (),
    "in_progress": ("in_progress",),
    "pending": ("in_progress", "pending"),
    "resolved": ("in_progress", "resolved"),
    "closed": ("in_progress", "resolved", "closed"),
    "cancelled": ("cancelled",),
}


def entries(ticket: SeededTicket) -> list[Entry]:
    """The history of a ticket, whose fold is what the world says of it."""
    steps = list(_steps(ticket))
    said = [_Step(each.at, "commented", each.author_id, (), each.visibility) for each in ticket.comments]
    if not steps and ticket.updated_at > (said[-1].at if said else ticket.created_at):
        steps = [_reconsidered(ticket)]
    later = sorted([*said, *steps], key=_at)
    return [
        _first(ticket, steps),
        *(
            Entry(seq, step.at, step.type, Actor(step.who), step.changes, step.comment)
            for seq, step in enumerate(later, start=2)
        ),
    ]


class _Step(NamedTuple):
    """An entry that has no number yet."""

    at: datetime
    type: EntryType
    who: str
    changes: tuple[Change, ...]
    comment: Visibility | None = None


def _steps(ticket: SeededTicket) -> Iterator[_Step]:
    worker = ticket.assignee_id or ticket.reporter_id
    way = _WAY_TO[cast(Status, ticket.status)]
    times = _spread(ticket, len(way) + (ticket.assignee_id is not None))
    if ticket.assignee_id is not None:
        yield _Step(next(times), "assigned", worker, (Change("assignee_id", None, ticket.assignee_id),))
    status: Status = FIRST_STATUS
    for to in way:
        changes: tuple[Change, ...] = (Change("status", status, to),)
        if to == "resolved":
            changes = (*changes, Change("resolution", None, ticket.resolution))
        yield _Step(next(times), "transitioned", worker, changes)
        status = to


def _spread(ticket: SeededTicket, steps: int) -> Iterator[datetime]:
    """As many moments of its life, the last one of them its last."""
    lasted = ticket.updated_at - ticket.created_at
    return (ticket.created_at + lasted * number / steps for number in range(1, steps + 1))


def _reconsidered(ticket: SeededTicket) -> _Step:
    """Nothing is told of why an open ticket was changed; its priority may always have been another."""
    before = "low" if ticket.priority == "normal" else "normal"
    return _Step(ticket.updated_at, "updated", ticket.reporter_id, (Change("priority", before, ticket.priority),))


def _first(ticket: SeededTicket, steps: list[_Step]) -> Entry:
    fields: dict[Field, Value] = {
        "title": ticket.title,
        "description": ticket.description,
        "type": ticket.type,
        "status": FIRST_STATUS,
        "priority": ticket.priority,
        "resolution": None,
        "reporter_id": ticket.reporter_id,
        "assignee_id": None,
        "team_id": ticket.team_id,
        "labels": labels.normalized(ticket.labels),
    }
    for step in steps:
        fields.update({change.field: change.before for change in step.changes if change.field == "priority"})
    return history.creation(fields, at=ticket.created_at, actor=Actor(ticket.reporter_id))


def _at(step: _Step) -> datetime:
    return step.at
