"""What must have become of a seeded ticket for it to be what it is: the world tells only where it stands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import cast

from services.shared.world import SeededTicket
from services.ticketing import history, labels
from services.ticketing.history import Actor, Change, Entry, EntryType, Field, Value
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
    said = [Entry(0, each.at, "commented", Actor(each.author_id), comment=each.visibility) for each in ticket.comments]
    if not steps and ticket.updated_at > (said[-1].at if said else ticket.created_at):
        steps = [_reconsidered(ticket)]
    lasted = ticket.updated_at - ticket.created_at
    done = [
        Entry(0, ticket.created_at + lasted * number / len(steps), kind, Actor(who), (*changes,))
        for number, (kind, who, changes) in enumerate(steps, start=1)
    ]
    later = sorted([*said, *done], key=_at)
    return [_first(ticket, steps), *(replace(entry, seq=seq) for seq, entry in enumerate(later, start=2))]


_Step = tuple[EntryType, str, list[Change]]


def _steps(ticket: SeededTicket) -> Iterator[_Step]:
    worker = ticket.assignee_id or ticket.reporter_id
    if ticket.assignee_id is not None:
        yield "assigned", worker, [Change("assignee_id", None, ticket.assignee_id)]
    status: Status = FIRST_STATUS
    for to in _WAY_TO[cast(Status, ticket.status)]:
        changes = [Change("status", status, to)]
        if to == "resolved":
            changes.append(Change("resolution", None, ticket.resolution))
        yield "transitioned", worker, changes
        status = to


def _reconsidered(ticket: SeededTicket) -> _Step:
    """Nothing is told of why an open ticket was changed; its priority may always have been another."""
    before = "low" if ticket.priority == "normal" else "normal"
    return "updated", ticket.reporter_id, [Change("priority", before, ticket.priority)]


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
    for _, _, changes in steps:
        fields.update({change.field: change.before for change in changes if change.field == "priority"})
    return history.creation(fields, at=ticket.created_at, actor=Actor(ticket.reporter_id))


def _at(entry: Entry) -> datetime:
    return entry.at
