"""Databases of older code become those of the present, and keep what they hold."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import select

from scenarios.services import schemas
from services.shared.database import connected
from services.ticketing.tables import Base, Ticket

ROWS_OF_0001 = (
    "INSERT INTO tenants VALUES ('org_1', 'ONE', 1)",
    """INSERT INTO tickets VALUES ('tkt_1', 'org_1', 1, 'ONE-1', 'Lift', 'It is stuck', 'incident', 'open', 'high',
    'usr_1', NULL, '["lift"]', 3, '2026-03-01 12:00:00', '2026-03-02 12:00:00', 'one-1 lift')""",
)


def test_the_revisions_lead_to_the_tables_of_the_present_code(new_database: Callable[[], str]) -> None:
    upgraded, fresh = schemas.both_ways(new_database, Base.metadata, rows=ROWS_OF_0001)
    assert upgraded == fresh
    assert fresh.keys() == {*Base.metadata.tables, "ticketing_revision"}


def test_a_ticket_of_the_first_revision_is_still_there_and_whole(database_url: str) -> None:
    schemas.made_by_revision(database_url, Base.metadata, "0001", rows=ROWS_OF_0001)
    with connected(database_url, Base.metadata) as database, database.reading() as session:
        ticket = session.scalars(select(Ticket)).one()
    assert (ticket.key, ticket.description, ticket.status, ticket.labels) == ("ONE-1", "It is stuck", "open", ["lift"])
    assert (ticket.version, ticket.updated_at.isoformat()) == (3, "2026-03-02T12:00:00+00:00")
