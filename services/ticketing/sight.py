"""What a caller sees of the tables: the one place that parts tenants. Every statement that reads begins here."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Select, select

from services.ticketing.roles import Reach
from services.ticketing.tables import ROOM, Comment, FeedEntry, HistoryEntry, Member, Tally, Team, Tenant, Ticket
from services.ticketing.text_index import FACETS, HITS


def tickets(reach: Reach) -> Select[Ticket]:
    """The tickets within reach."""
    return select(Ticket).where(*_within(reach, Ticket))


def facets(reach: Reach) -> Select[Any]:
    """The same as SQLite has them beside its text index."""
    return select(FACETS).where(*_within(reach, FACETS.c))


def comments(reach: Reach) -> Select[Comment]:
    """The comments on them: internal ones only for who works on tickets, or may look on."""
    visible = select(Comment).join(Ticket, Ticket.place == Comment.place).where(*_within(reach, Ticket))
    return visible if reach.internal else visible.where(Comment.visibility == "public")


def history(reach: Reach) -> Select[HistoryEntry]:
    """Their entries, without those that are only about an internal comment where those are hidden."""
    visible = select(HistoryEntry).join(Ticket, Ticket.place == HistoryEntry.place).where(*_within(reach, Ticket))
    if reach.internal:
        return visible
    return visible.where((HistoryEntry.type != "commented") | (HistoryEntry.comment != "internal"))


def feed(reach: Reach) -> Select[FeedEntry]:
    """What was done to tickets within reach, without what was only an internal comment where those are hidden."""
    visible = select(FeedEntry).where(*_within(reach, FeedEntry))
    if reach.internal:
        return visible
    return visible.where((FeedEntry.type != "commented") | (FeedEntry.visibility != "internal"))


def tallies(reach: Reach) -> Select[Tally]:
    """Counts of the organization's tickets. They know nothing of reporters.

    Raises:
        ValueError: not all of the organization is within reach.
    """
    if reach.reporter_id is not None:
        raise ValueError("tallies count tickets beyond this reach")
    return select(Tally).where(Tally.org_id == reach.org_id)


def members(reach: Reach) -> Select[Member]:
    """The people of the organization."""
    return select(Member).where(Member.org_id == reach.org_id)


def teams(reach: Reach) -> Select[Team]:
    """The teams of the organization."""
    return select(Team).where(Team.org_id == reach.org_id)


def hits(reach: Reach) -> tuple[ColumnElement[bool], ...]:
    """What rows of SQLite's text index fulfil that are about tickets of the organization."""
    first = select(Tenant.ordinal * ROOM).where(Tenant.org_id == reach.org_id).scalar_subquery()
    return HITS.c.rowid >= first, HITS.c.rowid < first + ROOM


def _within(reach: Reach, of: Any) -> tuple[ColumnElement[bool], ...]:
    own = () if reach.reporter_id is None else (of.reporter_id == reach.reporter_id,)
    return of.org_id == reach.org_id, *own
