"""A database that somebody keeps to themselves for too long: others are told to come again, and nothing breaks."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import delete, func, select, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from services.shared import database as shared
from services.shared.database import Database, connected
from services.shared.problems import Unavailable


class Base(DeclarativeBase):
    """A service's tables."""


class Note(Base):
    """Something written."""

    __tablename__ = "notes"

    id: Mapped[int] = mapped_column(primary_key=True)


def write(database: Database, number: int) -> None:
    with database.writing() as session:
        session.execute(delete(Note).where(Note.id == number))
        session.add(Note(id=number))


def test_a_writer_who_waited_too_long_is_told_to_call_again(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared, "BUSY_TIMEOUT_MS", 20)
    with connected(database_url, Base.metadata) as database:
        with database.writing() as first:
            first.add(Note(id=1))
            first.flush()
            with pytest.raises(Unavailable, match="Call again"):
                write(database, 2)
            with database.reading() as reader:
                assert reader.scalar(select(func.count()).select_from(Note)) == 0
        write(database, 2)
        with database.reading() as reader:
            assert set(reader.scalars(select(Note.id))) == {1, 2}


def test_any_other_failure_of_the_database_stays_what_it_is(tmp_path: Path) -> None:
    with connected(f"sqlite:///{tmp_path / 'one.db'}", Base.metadata) as database:
        for transaction in (database.reading, database.writing):
            with pytest.raises(OperationalError, match="no such table"), transaction() as session:
                session.execute(text("SELECT * FROM nowhere"))
