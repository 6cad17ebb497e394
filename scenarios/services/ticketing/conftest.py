"""A ticket desk on a real database, without a server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest

from services.shared import world
from services.shared.database import Database, connected
from services.shared.permissions import Caller
from services.ticketing import seed
from services.ticketing.desk import TicketDesk
from services.ticketing.tables import Base

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """The small world's tickets in a database of their own, of each kind."""
    with connected(database_url, Base.metadata) as database:
        seed.lay(world.load("small", 1), database)
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
