"""A ticket desk on a real database, without a server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from sqlalchemy import MetaData

from scenarios.services.copies import Lay
from services.shared import world
from services.shared.database import Database, connected
from services.shared.permissions import Caller
from services.ticketing import seed
from services.ticketing.desk import TicketDesk
from services.ticketing.tables import Base

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def lay(database: Database) -> None:
    """Put the small world into an empty database."""
    seed.lay(world.load("small", 1), database)


@pytest.fixture
def database(laid_database: Callable[[MetaData, Lay], str]) -> Iterator[Database]:
    """The small world's tickets in a database of their own, of each kind."""
    with connected(laid_database(Base.metadata, lay), Base.metadata) as database:
        yield database


@pytest.fixture
def desk_of(database: Database) -> Callable[..., TicketDesk]:
    """``desk_of("alice")``: the desk as it serves her; its clock ticks a minute a look."""
    people = {
        person.username: (organization, person)
        for organization in world.load("small", 1).organizations
        for person in organization.people
    }
    minutes = count()

    def desk(username: str) -> TicketDesk:
        organization, person = people[username]
        scopes = frozenset({"tickets:read", "tickets:write", "tickets:delete"})
        return TicketDesk(
            Caller(person.id, organization.id, frozenset({person.role}), scopes),
            database,
            now=lambda: NOON + timedelta(minutes=next(minutes)),
        )

    return desk
