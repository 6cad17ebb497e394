"""Databases for the scenarios of single services: SQLite in a file, and PostgreSQL where it is installed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from scenarios.services import postgresql


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[postgresql.Server]:
    """One server for all scenarios of this process; skips where PostgreSQL is not installed."""
    programs = postgresql.programs()
    if programs is None:
        pytest.skip(postgresql.TO_INSTALL)
    with postgresql.running(programs) as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def new_database(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], str]:
    """``new_database()``: the URL of an empty one. The scenario runs on each kind of database."""
    if request.param == "sqlite":
        numbers = count(1)
        return lambda: f"sqlite:///{tmp_path / f'{next(numbers)}.db'}"
    server: postgresql.Server = request.getfixturevalue("postgresql_server")
    return server.new_database


@pytest.fixture
def database_url(new_database: Callable[[], str]) -> str:
    """The URL of an empty database; the scenario runs on each kind."""
    return new_database()
