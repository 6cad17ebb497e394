"""What the feed of changes is told of tickets: who did what to which, and nothing of what was said."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from services.shared import feed
from services.ticketing.history import SAID, Change, Entry
from services.ticketing.tables import Deletion, FeedEntry, Ticket


def tell(session: Session, ticket: Ticket, entry: Entry) -> None:
    """Tell of an entry that was written to the ticket's history."""
    _append(
        session,
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


def tell_deletion(session: Session, ticket: Ticket, deletion: Deletion) -> None:
    """Tell that the ticket is gone."""
    _append(
        session,
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


def _append(session: Session, ticket: Ticket, **said: Any) -> None:
    about = {
        "reporter_id": ticket.reporter_id,
        "ticket_id": ticket.id,
        "key": ticket.key,
        "version": ticket.version,
    }
    feed.append(session, FeedEntry, ticket.org_id, **about, **said)


def _told(change: Change) -> dict[str, Any]:
    hidden = change.field in SAID
    return {
        "field": change.field,
        "before": None if hidden else change.before,
        "after": None if hidden else change.after,
    }
