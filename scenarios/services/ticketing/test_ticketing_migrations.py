"""Databases of older code become those of the present, and keep what they hold."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from scenarios.services import schemas
from services.shared.database import connected
from services.ticketing import history
from services.ticketing.listing import TicketListing
from services.ticketing.repository import read
from services.ticketing.roles import Reach
from services.ticketing.tables import Base, HistoryEntry, Tenant, Ticket
from services.ticketing.wanted import Wanted

ROWS_OF_0001 = (
    "INSERT INTO tenants VALUES ('org_1', 'ONE', 1)",
    "INSERT INTO tenants VALUES ('org_0', 'ZERO', 7)",
    """INSERT INTO tickets VALUES ('tkt_1', 'org_1', 1, 'ONE-1', 'Lift', 'It is stuck', 'incident', 'open', 'high',
    'usr_1', NULL, '["lift"]', 3, '2026-03-01 12:00:00', '2026-03-02 12:00:00', 'one-1 lift')""",
)


def test_the_revisions_lead_to_the_tables_of_the_present_code(new_database: Callable[[], str]) -> None:
    upgraded, fresh = schemas.both_ways(new_database, Base.metadata, rows=ROWS_OF_0001)
    assert upgraded == fresh
    text_index = {name for name in fresh if name.startswith(("ticket_text", "ticket_facets"))}
    assert fresh.keys() - text_index == {*Base.metadata.tables, "ticketing_revision"}


def test_a_ticket_of_the_first_revision_is_still_there_and_whole(database_url: str) -> None:
    schemas.made_by_revision(database_url, Base.metadata, "0001", rows=ROWS_OF_0001)
    with connected(database_url, Base.metadata) as database, database.reading() as session:
        ticket = session.scalars(select(Ticket)).one()
    assert (ticket.key, ticket.description, ticket.status, ticket.labels) == ("ONE-1", "It is stuck", "open", ["lift"])
    assert (ticket.version, ticket.updated_at.isoformat()) == (3, "2026-03-02T12:00:00+00:00")


@pytest.mark.parametrize("status", ["open", "pending", "resolved", "cancelled"])
def test_its_history_begins_with_what_it_was_and_leads_to_what_it_is(database_url: str, status: str) -> None:
    rows = (*ROWS_OF_0001, f"UPDATE tickets SET status = '{status}'")  # noqa: S608
    schemas.made_by_revision(database_url, Base.metadata, "0001", rows=rows)
    with connected(database_url, Base.metadata) as database, database.reading() as session:
        ticket = session.scalars(select(Ticket)).one()
        folded = history.fold(map(read, session.scalars(select(HistoryEntry).order_by(HistoryEntry.seq))))
    assert folded.fields == {field: getattr(ticket, field) for field in history.FIELDS}
    assert (folded.version, folded.clock, folded.updated_at) == (ticket.version, ticket.clock, ticket.updated_at)
    assert ticket.created_at == datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_it_is_found_and_counted_and_the_next_one_gets_the_next_number(database_url: str) -> None:
    schemas.made_by_revision(database_url, Base.metadata, "0001", rows=ROWS_OF_0001)
    with connected(database_url, Base.metadata) as database, database.reading() as session:
        listing = TicketListing(session, Reach("org_1"))
        for wanted in (Wanted(), Wanted("LIFT"), Wanted(labels=("Lift",)), Wanted(statuses=("open",))):
            assert [ticket.key for ticket in listing.page(wanted, limit=9, after=None).items] == ["ONE-1"]
        assert listing.groups("status") == [("open", 1)]
        rows = session.execute(select(Tenant.ticket_prefix, Tenant.last_number)).all()
    assert sorted(rows) == [("ONE", 1), ("ZERO", 7)]
