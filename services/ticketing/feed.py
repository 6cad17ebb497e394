"""All SQL about the feed of changes: what was done to an organization's tickets, in the order in which it was accepted.

Positions count from 1 without a gap: writers come one after the other, so that whoever reads up to one has read all
before it. Nothing is ever taken out.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import ScalarSelect, func, insert, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from services.shared.database import Database
from services.shared.news import announce
from services.ticketing import sight
from services.ticketing.history import SAID, Change, Entry
from services.ticketing.roles import Reach
from services.ticketing.tables import Deletion, FeedEntry, Tenant, Ticket


class Feed:
    """The feed within ``reach``, in one transaction."""

    def __init__(self, session: Session, reach: Reach) -> None:
        self._session = session
        self._reach = reach

    def add(self, ticket: Ticket, entry: Entry) -> None:
        """Tell of an entry that was written to the ticket's history."""
        self._add(
            ticket,
            at=entry.at,
            type=entry.type,
            actor_id=entry.actor.id,
            client_id=entry.actor.client_id,
            acting=entry.actor.acting,
            trace_id=entry.actor.trace_id,
            changes=[_told(change) for change in entry.changes],
            visibility=entry.comment,
        )

    def add_deletion(self, ticket: Ticket, deletion: Deletion) -> None:
        """Tell that the ticket is gone."""
        self._add(
            ticket,
            at=deletion.at,
            type="deleted",
            actor_id=deletion.actor_id,
            client_id=deletion.client_id,
            acting=deletion.acting,
            trace_id=deletion.trace_id,
            changes=[],
            visibility=None,
        )

    def end(self) -> int:
        """The position of the last change in the organization, whoever may see it; 0 before the first."""
        return self._session.scalar(select(_last(self._reach.org_id))) or 0

    def after(self, position: int, *, limit: int) -> list[FeedEntry]:
        """Up to ``limit`` changes that came after a position, the oldest first."""
        later = sight.feed(self._reach).where(FeedEntry.position > position)
        return list(self._session.scalars(later.order_by(FeedEntry.position).limit(limit)))

    def _add(self, ticket: Ticket, **said: Any) -> None:
        row = {
            "org_id": ticket.org_id,
            "position": func.coalesce(_last(ticket.org_id), 0) + 1,
            "reporter_id": ticket.reporter_id,
            "ticket_id": ticket.id,
            "key": ticket.key,
            "version": ticket.version,
        }
        self._session.execute(insert(FeedEntry).values(**row, **said))
        announce(self._session, ticket.org_id)


def ends(database: Database, org_ids: Collection[str]) -> Mapping[str, int]:
    """Where the feeds of organizations end now."""
    known = select(Tenant.org_id, func.coalesce(_last(Tenant.org_id), 0).label("end")).where(Tenant.org_id.in_(org_ids))
    with database.reading() as session:
        return {row.org_id: row.end for row in session.execute(known)}


def _last(org_id: str | InstrumentedAttribute[str]) -> ScalarSelect[int]:
    # For each by itself: grouped by organization, SQLite would read all there is.
    return select(func.max(FeedEntry.position)).where(FeedEntry.org_id == org_id).scalar_subquery()


def _told(change: Change) -> dict[str, Any]:
    hidden = change.field in SAID
    return {
        "field": change.field,
        "before": None if hidden else change.before,
        "after": None if hidden else change.after,
    }
