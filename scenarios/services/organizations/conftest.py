"""Desks on the base world, for scenarios that need no server."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import MetaData

from scenarios.services.copies import Lay
from scenarios.services.organizations.desks import Desks, lay
from services.organizations.tables import Base
from services.shared.database import connected


@pytest.fixture
def desks(laid_database: Callable[[MetaData, Lay], str]) -> Iterator[Desks]:
    """``desks("alice")``: the desk as it serves her, on each kind of database."""
    with connected(laid_database(Base.metadata, lay), Base.metadata) as database:
        yield Desks.on(database)
