"""Which tickets a listing holds, as conditions on columns of tickets, or of what else has such columns."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, String, exists, select

from services.ticketing import labels
from services.ticketing.roles import Reach
from services.ticketing.tables import Ticket, TicketLabel
from services.ticketing.wanted import Wanted


def conditions(wanted: Wanted, of: Any) -> list[ColumnElement[bool]]:
    """All that is asked for but text and labels. ``of`` has the columns."""
    asked: list[ColumnElement[bool]] = []
    if wanted.statuses:
        asked.append(of.status.in_(wanted.statuses))
    if wanted.priorities:
        asked.append(of.priority.in_(wanted.priorities))
    if wanted.unassigned:
        asked.append(of.assignee_id.is_(None))
    if wanted.updated_since is not None:
        asked.append(of.updated_at >= wanted.updated_since)
    for column, value in (
        ("type", wanted.kind),
        ("assignee_id", wanted.assignee_id),
        ("reporter_id", wanted.reporter_id),
        ("team_id", wanted.team_id),
    ):
        if value is not None:
            asked.append(getattr(of, column) == value)
    return asked


class Looked:
    """Columns of tickets that are looked at and never looked up: for who goes through an order and not an index."""

    def __getattr__(self, name: str) -> Any:
        """The column, as a text with nothing added. Times stay as they are: an order by time may begin there."""
        column = getattr(Ticket, name)
        return column.concat("") if isinstance(column.type, String) else column


def labelled(reach: Reach, wanted: Wanted, place: Any) -> list[ColumnElement[bool]]:
    """The labels asked for, as conditions on a ticket that was met already."""
    return [exists().where(TicketLabel.place == place, *_alike(reach, label)) for label in wanted.labels]


def among_labelled(reach: Reach, wanted: Wanted, place: Any) -> list[ColumnElement[bool]]:
    """The same, to find tickets by."""
    return [place.in_(select(TicketLabel.place).where(*_alike(reach, label))) for label in wanted.labels]


def _alike(reach: Reach, label: str) -> tuple[ColumnElement[bool], ...]:
    return TicketLabel.org_id == reach.org_id, TicketLabel.label == labels.folded(label)
