"""All SQL about single tickets: what they are, what became of them, what was said. Lists of them are in ``listing``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any, TypeVar

from sqlalchemy import Select, delete, func, insert, select, update
from sqlalchemy.orm import Session

from services.shared.problems import Forbidden, NotFound
from services.shared.world import seeded_id
from services.ticketing import feed, labels, sight
from services.ticketing.history import Actor, Change, Entry, advanced
from services.ticketing.roles import Reach
from services.ticketing.tables import (
    ROOM,
    Comment,
    Deletion,
    HistoryEntry,
    Tally,
    Tenant,
    Ticket,
    TicketLabel,
    searched,
)
from services.ticketing.workflow import PRIORITIES

Row = TypeVar("Row", Comment, HistoryEntry)

_SEARCHED = frozenset({"title", "description", "labels"})
_TALLIED = frozenset({"status", "priority", "type"})


class TicketRepository:
    """The tickets within ``reach``, in one transaction."""

    def __init__(self, session: Session, reach: Reach) -> None:
        self._session = session
        self._reach = reach

    def get(self, key: str) -> Ticket:
        """The ticket of that key.

        Raises:
            NotFound: there is none within reach; whether there is one elsewhere makes no difference.
        """
        ticket = self._session.scalar(sight.tickets(self._reach).where(Ticket.key == key))
        if ticket is None:
            raise NotFound(f"There is no ticket {key!r}.")
        return ticket

    def opened(self, entry: Entry) -> Ticket:
        """The ticket that an entry creates, stored under the organization's next number.

        Raises:
            Forbidden: ticketing does not know the organization.
        """
        tenant = self._counted_up()
        key = f"{tenant.ticket_prefix}-{tenant.last_number}"
        fields: dict[str, Any] = {change.field: change.after for change in entry.changes}
        ticket = Ticket(
            place=tenant.ordinal * ROOM + tenant.last_number,
            id=seeded_id("tkt", self._reach.org_id, tenant.last_number),
            org_id=self._reach.org_id,
            number=tenant.last_number,
            key=key,
            urgency=PRIORITIES.index(fields["priority"]),
            version=entry.seq,
            created_at=entry.at,
            updated_at=entry.at,
            paused=timedelta(0),
            searched=searched(
                key=key, title=fields["title"], description=fields["description"], labels=fields["labels"]
            ),
            **fields,
        )
        self._session.add(ticket)
        self._session.flush()
        self._tally(ticket, 1)
        self._label(ticket)
        self._write(ticket, entry)
        return ticket

    def record(self, ticket: Ticket, entry: Entry) -> None:
        """Let the ticket become what an entry says, and keep the entry."""
        fields = {change.field for change in entry.changes}
        if fields & _TALLIED:
            self._tally(ticket, -1)
        for change in entry.changes:
            setattr(ticket, change.field, change.after)
        ticket.clock = advanced(ticket.clock, entry, reporter_id=ticket.reporter_id)
        ticket.version, ticket.updated_at = entry.seq, entry.at
        ticket.urgency = PRIORITIES.index(ticket.priority)
        if fields & _SEARCHED:
            ticket.searched = searched(
                key=ticket.key, title=ticket.title, description=ticket.description, labels=ticket.labels
            )
        self._session.flush()
        if fields & _TALLIED:
            self._tally(ticket, 1)
        if "labels" in fields:
            self._label(ticket)
        self._write(ticket, entry)

    def say(self, comment: Comment) -> None:
        """Keep what somebody said."""
        self._session.add(comment)
        self._session.flush()

    def remove(self, ticket: Ticket, deletion: Deletion) -> None:
        """Delete the ticket with all that was said and became of it."""
        self._tally(ticket, -1)
        feed.tell_deletion(self._session, ticket, deletion)
        self._session.execute(delete(Ticket).where(Ticket.place == ticket.place))
        self._session.expunge(ticket)
        self._session.add(deletion)

    def comments(self, ticket: Ticket, *, limit: int, after: int | None) -> tuple[list[Comment], int]:
        """Up to ``limit`` comments after an entry's number, or the last ones; the oldest first, and how many in all."""
        return self._page(Comment, sight.comments(self._reach).where(Comment.place == ticket.place), limit, after)

    def history(self, ticket: Ticket, *, limit: int, after: int | None) -> tuple[list[HistoryEntry], int]:
        """Up to ``limit`` entries after a number, or the last ones; the oldest first, and how many in all."""
        entries = sight.history(self._reach).where(HistoryEntry.place == ticket.place)
        return self._page(HistoryEntry, entries, limit, after)

    def _page(self, kind: type[Row], statement: Select[Row], limit: int, after: int | None) -> tuple[list[Row], int]:
        total = self._session.scalar(select(func.count()).select_from(statement.subquery())) or 0
        if after is None:
            latest = self._session.scalars(statement.order_by(kind.seq.desc()).limit(limit))
            return list(latest)[::-1], total
        rows = self._session.scalars(statement.where(kind.seq > after).order_by(kind.seq).limit(limit))
        return list(rows), total

    def _counted_up(self) -> Tenant:
        statement = (
            update(Tenant)
            .where(Tenant.org_id == self._reach.org_id)
            .values(last_number=Tenant.last_number + 1)
            .returning(Tenant)
        )
        tenant = self._session.scalar(statement)
        if tenant is None:
            raise Forbidden("The token is about an organization that keeps no tickets here.")
        return tenant

    def _write(self, ticket: Ticket, entry: Entry) -> None:
        self._session.execute(insert(HistoryEntry).values(written(ticket.place, entry)))
        feed.tell(self._session, ticket, entry)

    def _label(self, ticket: Ticket) -> None:
        self._session.execute(delete(TicketLabel).where(TicketLabel.place == ticket.place))
        if rows := labelled(ticket.place, ticket.org_id, ticket.labels):
            self._session.execute(insert(TicketLabel), rows)

    def _tally(self, ticket: Ticket, by: int) -> None:
        alike = {
            "org_id": ticket.org_id,
            "status": ticket.status,
            "priority": ticket.priority,
            "type": ticket.type,
        }
        counted = self._session.execute(update(Tally).filter_by(**alike).values(count=Tally.count + by))
        if not counted.rowcount:  # type: ignore[attr-defined]  # an UPDATE has one
            self._session.execute(insert(Tally).values(**alike, count=by))


def written(place: int, entry: Entry) -> dict[str, Any]:
    """An entry as its row."""
    return {
        "place": place,
        "seq": entry.seq,
        "at": entry.at,
        "type": entry.type,
        "actor_id": entry.actor.id,
        "client_id": entry.actor.client_id,
        "acting": entry.actor.acting,
        "trace_id": entry.actor.trace_id,
        "changes": [
            {"field": change.field, "before": change.before, "after": change.after} for change in entry.changes
        ],
        "comment": entry.comment,
    }


def read(row: HistoryEntry) -> Entry:
    """A row as its entry."""
    return Entry(
        seq=row.seq,
        at=row.at,
        type=row.type,
        actor=Actor(row.actor_id, row.client_id, row.acting, row.trace_id),
        changes=tuple(Change(**change) for change in row.changes),
        comment=row.comment,
    )


def labelled(place: int, org_id: str, spelled: Iterable[str]) -> Sequence[dict[str, Any]]:
    """The rows by which a ticket is found by its labels."""
    return [{"place": place, "org_id": org_id, "label": labels.folded(label)} for label in spelled]
