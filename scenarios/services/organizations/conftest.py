"""Desks on the base world, for scenarios that need no server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from scenarios.services import postgresql
from scenarios.services.organizations.desks import Desks, lay, opened
from services.organizations.tables import Base
from services.shared.database import connected


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The base world's organizations in a file, to be copied."""
    path = tmp_path_factory.mktemp("organizations") / "template.db"
    with connected(f"sqlite:///{path}", Base.metadata, lay=lay):
        pass
    return path


@pytest.fixture(params=["sqlite", "postgresql"])
def desks(request: pytest.FixtureRequest, template: Path, tmp_path: Path) -> Iterator[Desks]:
    """``desks("alice")``: the desk as it serves her, on each kind of database."""
    if request.param == "sqlite":
        with opened(template, tmp_path) as found:
            yield found
        return
    server: postgresql.Server = request.getfixturevalue("postgresql_server")
    with connected(server.new_database(), Base.metadata, lay=lay) as database:
        yield Desks.on(database)
