"""The world's tickets, laid into an empty database with all that has become of them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Any

from sqlalchemy import Connection, Table, exists, insert, select
from sqlalchemy.orm import Session

from services.shared.database import Database
from services.shared.world import Organization, SeededTicket, World, seeded_id
from services.ticketing import history, past, text_index
from services.ticketing.history import Entry
from services.ticketing.repository import labelled, written
from services.ticketing.tables import (
    ROOM,
    Base,
    Comment,
    HistoryEntry,
    Member,
    Tally,
    Team,
    Tenant,
    Ticket,
    TicketLabel,
    searched,
)
from services.ticketing.workflow import PRIORITIES

AT_ONCE = 1_000
"""Tickets whose rows are in memory at one time."""

_Rows = dict[type[Base], list[dict[str, Any]]]


def lay(world: World, database: Database) -> None:
    """Store the world, unless there is one already."""
    with database.writing() as session:
        if session.scalar(select(exists(select(Tenant)))):
            return
        with _indexed_afterwards(session.connection()):
            for ordinal, organization in enumerate(world.organizations, start=1):
                _lay(organization, ordinal, world.seed, session)
        # Without, SQLite would take an index of people for as good as one of priorities.
        session.connection().exec_driver_sql("ANALYZE")


def _lay(organization: Organization, ordinal: int, seed: int, session: Session) -> None:
    _insert(session, _people(organization, ordinal))
    counted: Counter[tuple[str, ...]] = Counter()
    for some in _chunks(organization.each_ticket()):
        _insert(session, _tickets(some, organization, ordinal, seed))
        counted.update((ticket.status, ticket.priority, ticket.type) for ticket in some)
    _insert(session, {Tally: [_tally(organization, alike, count) for alike, count in counted.items()]})


@contextmanager
def _indexed_afterwards(connection: Connection) -> Iterator[None]:
    """Without the indexes of tickets: made from all tickets at once, they cost a fraction of the time."""
    indexes = sorted(_table(Ticket).indexes, key=lambda index: str(index.name))
    for index in indexes:
        index.drop(connection)
    with text_index.filled_afterwards(connection):
        yield
    for index in indexes:
        index.create(connection)


def _people(organization: Organization, ordinal: int) -> _Rows:
    tenant = {
        "org_id": organization.id,
        "ordinal": ordinal,
        "ticket_prefix": organization.prefix,
        "last_number": organization.ticket_count,
    }
    members = [
        {
            "org_id": organization.id,
            "user_id": person.id,
            "roles": [person.role],
            "active": person.status == "active",
        }
        for person in organization.people
    ]
    teams = [{"org_id": organization.id, "id": team.id, "name": team.name} for team in organization.teams]
    return {Tenant: [tenant], Member: members, Team: teams}


def _tickets(tickets: Iterable[SeededTicket], organization: Organization, ordinal: int, seed: int) -> _Rows:
    rows: _Rows = defaultdict(list)
    for ticket in tickets:
        place = ordinal * ROOM + ticket.number
        entries = past.entries(ticket)
        row = _ticket(ticket, entries, organization, seed) | {"place": place}
        rows[Ticket].append(row)
        rows[TicketLabel] += labelled(place, organization.id, row["labels"])
        rows[HistoryEntry] += [written(place, entry) for entry in entries]
        rows[Comment] += _comments(ticket, entries, organization, seed, place)
    return rows


def _ticket(ticket: SeededTicket, entries: list[Entry], organization: Organization, seed: int) -> dict[str, Any]:
    folded = history.fold(entries)
    fields: dict[str, Any] = {str(field): value for field, value in folded.fields.items()}
    key = f"{organization.prefix}-{ticket.number}"
    text = {name: fields[name] for name in ("title", "description", "labels")}
    return fields | {
        "id": seeded_id("tkt", seed, organization.slug, ticket.number),
        "org_id": organization.id,
        "number": ticket.number,
        "key": key,
        "urgency": PRIORITIES.index(folded.priority),
        "version": folded.version,
        "created_at": folded.clock.started_at,
        "updated_at": folded.updated_at,
        "answered_at": folded.clock.answered_at,
        "halted_at": folded.clock.halted_at,
        "ended_at": folded.clock.ended_at,
        "paused": folded.clock.paused,
        "searched": searched(key=key, **text),
    }


def _comments(
    ticket: SeededTicket, entries: list[Entry], organization: Organization, seed: int, place: int
) -> Iterator[dict[str, Any]]:
    said = [entry for entry in entries if entry.type == "commented"]
    for comment, entry in zip(ticket.comments, said, strict=True):
        yield {
            "place": place,
            "seq": entry.seq,
            "id": seeded_id("cmt", seed, organization.slug, ticket.number, entry.seq),
            "author_id": comment.author_id,
            "body": comment.body,
            "visibility": comment.visibility,
            "created_at": comment.at,
        }


def _tally(organization: Organization, alike: tuple[str, ...], count: int) -> dict[str, Any]:
    status, priority, kind = alike
    return {"org_id": organization.id, "status": status, "priority": priority, "type": kind, "count": count}


def _insert(session: Session, rows: _Rows) -> None:
    for kind, some in rows.items():
        if some:
            session.execute(insert(_table(kind)), some)


def _table(kind: type[Base]) -> Table:
    table = kind.__table__
    assert isinstance(table, Table)  # noqa: S101  # every class here has one
    return table


def _chunks(tickets: Iterable[SeededTicket]) -> Iterator[list[SeededTicket]]:
    left = iter(tickets)
    while some := list(islice(left, AT_ONCE)):
        yield some
