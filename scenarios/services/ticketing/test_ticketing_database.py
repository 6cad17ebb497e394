"""The database under a service: transactions, times, and what survives."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import func, select, text, update
from sqlalchemy.exc import IntegrityError, StatementError

from services.shared import world
from services.shared.database import Database, connected
from services.ticketing import seed
from services.ticketing.tables import Base, Tenant, Ticket


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Database]:
    with connected(f"sqlite:///{tmp_path / 'empty.db'}", Base.metadata) as database:
        yield database


def count_of(database: Database) -> int:
    with database.reading() as session:
        return session.scalar(select(func.count()).select_from(Ticket)) or 0


def test_a_block_left_by_an_exception_changes_nothing(empty: Database) -> None:
    def fail() -> None:
        with empty.writing() as session:
            session.add(Tenant(org_id="org_1", ordinal=99, ticket_prefix="ONE", last_number=0))
            session.flush()
            raise LookupError

    with pytest.raises(LookupError):
        fail()
    with empty.reading() as session:
        assert session.get(Tenant, "org_1") is None


def test_a_reader_keeps_its_view_while_others_write(database: Database) -> None:
    with database.reading() as reader:
        before = reader.scalar(select(Tenant.last_number).where(Tenant.ticket_prefix == "ACME"))
        with database.writing() as writer:
            writer.execute(update(Tenant).values(last_number=99))
        assert reader.scalar(select(Tenant.last_number).where(Tenant.ticket_prefix == "ACME")) == before == 12
    with database.reading() as reader:
        assert reader.scalar(select(Tenant.last_number).where(Tenant.ticket_prefix == "ACME")) == 99


def test_a_ticket_of_no_tenant_cannot_be_stored(database: Database) -> None:
    with pytest.raises(IntegrityError), database.writing() as session:
        session.execute(update(Ticket).values(org_id="org_nowhere"))


def test_sqlite_writes_ahead_and_waits_for_the_other_writer(empty: Database) -> None:
    with empty.reading() as session:
        assert session.scalar(text("PRAGMA journal_mode")) == "wal"
        assert session.scalar(text("PRAGMA busy_timeout")) == 5_000


def test_a_time_without_a_zone_is_refused_and_any_other_is_kept_as_utc(database: Database) -> None:
    naive = datetime(2026, 1, 1)  # noqa: DTZ001
    with pytest.raises(StatementError, match="has no time zone"), database.writing() as session:
        session.execute(update(Ticket).values(updated_at=naive))
    with database.writing() as session:
        session.execute(update(Ticket).values(updated_at=naive.replace(tzinfo=timezone(timedelta(hours=2)))))
    with database.reading() as session:
        assert set(session.scalars(select(Ticket.updated_at))) == {datetime(2025, 12, 31, 22, tzinfo=UTC)}


def test_the_world_is_laid_once_and_the_same_seed_lays_the_same(tmp_path: Path) -> None:
    base = world.load("base", 7)
    rows = []
    for name in ("one", "two"):
        with connected(f"sqlite:///{tmp_path / name}.db", Base.metadata) as database:
            seed.lay(base, database)
            seed.lay(base, database)
            assert count_of(database) == sum(len(organization.tickets) for organization in base.organizations)
            with database.reading() as session:
                columns = list(Ticket.__table__.columns)
                rows.append(session.execute(select(*columns).order_by(Ticket.id)).all())
    assert rows[0] == rows[1]


def test_what_was_written_is_there_after_the_database_is_opened_again(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'kept.db'}"
    with connected(url, Base.metadata) as database:
        seed.lay(world.load("base", 1), database)
        with database.writing() as session:
            session.execute(update(Ticket).values(title="Kept"))
    with connected(url, Base.metadata) as database:
        seed.lay(world.load("base", 1), database)
        with database.reading() as session:
            assert set(session.scalars(select(Ticket.title))) == {"Kept"}
