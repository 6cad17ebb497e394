"""Databases for the scenarios of single services: SQLite in a file, and PostgreSQL where it is installed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import MetaData

from scenarios.services import postgresql
from scenarios.services.copies import Lay, Originals


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[postgresql.Server]:
    """One server for all scenarios of this process; skips where PostgreSQL is not installed."""
    programs = postgresql.programs()
    if programs is None:
        pytest.skip(postgresql.TO_INSTALL)
    with postgresql.running(programs) as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def kind(request: pytest.FixtureRequest) -> str:
    """The kind of database; the scenario runs on each."""
    return str(request.param)


@pytest.fixture
def new_database(request: pytest.FixtureRequest, kind: str, tmp_path: Path) -> Callable[[], str]:
    """``new_database()``: the URL of an empty one. The scenario runs on each kind of database."""
    if kind == "sqlite":
        numbers = count(1)
        return lambda: f"sqlite:///{tmp_path / f'{next(numbers)}.db'}"
    server: postgresql.Server = request.getfixturevalue("postgresql_server")
    return server.new_database


@pytest.fixture
def database_url(new_database: Callable[[], str]) -> str:
    """The URL of an empty database; the scenario runs on each kind."""
    return new_database()


@pytest.fixture(scope="session")
def originals(tmp_path_factory: pytest.TempPathFactory) -> Originals:
    """Databases to copy."""
    return Originals(tmp_path_factory.mktemp("originals"))


@pytest.fixture
def laid_database(
    request: pytest.FixtureRequest, kind: str, originals: Originals, tmp_path: Path
) -> Callable[[MetaData, Lay], str]:
    """``laid_database(tables, lay)``: the URL of one with that in it; the scenario runs on each kind."""
    if kind == "sqlite":
        return lambda tables, lay: originals.sqlite(tables, lay, to=tmp_path / "laid.db")
    server: postgresql.Server = request.getfixturevalue("postgresql_server")
    return lambda tables, lay: originals.postgresql(tables, lay, server=server)
