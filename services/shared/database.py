"""A service's own database: SQLAlchemy, with SQLite set up for many readers, one writer and kill -9."""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from sqlite3 import Connection as SqliteConnection

from sqlalchemy import Connection, DateTime, Dialect, Engine, MetaData, TypeDecorator, create_engine, event
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session, sessionmaker

from services.shared.migrations import revisions
from services.shared.news import News, announced
from services.shared.problems import Unavailable

BUSY_TIMEOUT_MS = 5_000
"""How long a writer waits for the one before it; every transaction here is shorter than a millisecond or two."""

_LOCK_NOT_AVAILABLE = "55P03"
"""PostgreSQL's code (its manual, appendix A) for a lock that somebody else kept for too long."""
_WRITERS_LOCK = 0x64726573  # any number that nobody else locks in the same database


class UtcDateTime(TypeDecorator[datetime]):
    """A moment: aware where Python sees it, UTC without an offset in the table, so that text order is time order."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Refuse a time without an offset: nobody could say later what it meant."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value!r} has no time zone")
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Give the moment back as UTC."""
        return None if value is None else value.replace(tzinfo=UTC)


class Database:
    """Transactions on one database. Leaving a block by an exception rolls back; what was read stays readable."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._sessions = sessionmaker(_reading(engine), expire_on_commit=False)
        self._writers = sessionmaker(engine.execution_options(writes=True), expire_on_commit=False)
        self.news = News()

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """One consistent view of the data; nothing is committed. Raises Unavailable: as ``writing``."""
        with _telling_of_others(), self._sessions() as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """One transaction, committed when the block ends. Writers come one after the other.

        What the session is to announce (see ``news``) is told when it is committed.

        Raises:
            Unavailable: those before took too long. Nothing was written.
        """
        with _telling_of_others(), self._writers.begin() as session:
            yield session
        self.news.tell(announced(session))


@contextmanager
def _telling_of_others() -> Iterator[None]:
    try:
        yield
    except OperationalError as error:
        if not _is_busy(error):
            raise
        raise Unavailable("Others are writing, and took too long: nothing was changed. Call again.") from error


def _is_busy(error: OperationalError) -> bool:
    primary = getattr(error.orig, "sqlite_errorcode", 0) & 0xFF  # without what an extended code adds to it
    return primary == sqlite3.SQLITE_BUSY or getattr(error.orig, "sqlstate", None) == _LOCK_NOT_AVAILABLE


@contextmanager
def connected(url: str, tables: MetaData, *, lay: Callable[[Database], None] | None = None) -> Iterator[Database]:
    """The database at an SQLAlchemy ``url``, with its ``tables`` and what ``lay`` puts into them, until the block ends.

    Tables of an older revision are upgraded first, and keep what they hold. ``lay`` must leave alone what is there
    already. An SQLite file in which all that was done says so itself, and a start on it costs a third as much.

    Raises:
        sqlalchemy.exc.ArgumentError: ``url`` is not one.
        sqlalchemy.exc.OperationalError: the database cannot be reached.
        UnknownRevisionError: it was written by newer code.
    """
    engine = create_engine(url, pool_pre_ping=not url.startswith("sqlite"))
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _set_up_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    elif engine.dialect.name == "postgresql":
        event.listen(engine, "begin", _begin_postgresql)
    try:
        database = Database(engine)
        complete = _version(tables)
        if not _is_complete(engine, tables, complete):
            revisions.upgrade(engine, tables)
            if lay is not None:
                lay(database)
                _mark_complete(engine, complete)
        yield database
    finally:
        engine.dispose()


def _reading(engine: Engine) -> Engine:
    """SQLite's readers have one view by nature; PostgreSQL's would see each commit between two statements."""
    if engine.dialect.name != "postgresql":
        return engine
    return engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)


def _version(tables: MetaData) -> int:
    """What an SQLite file keeps in its ``user_version`` once these tables and their world are there; never 0."""
    told = [(table.name, column.name, str(column.type)) for table in tables.sorted_tables for column in table.columns]
    return zlib.crc32(repr((revisions.newest(tables), told)).encode()) & 0x7FFFFFFF | 1


def _is_complete(engine: Engine, tables: MetaData, version: int) -> bool:
    if engine.dialect.name != "sqlite":
        return False
    with engine.connect() as connection:
        marked = connection.exec_driver_sql("PRAGMA user_version").scalar() == version
        return marked and revisions.is_newest(connection, tables)


def _mark_complete(engine: Engine, version: int) -> None:
    if engine.dialect.name == "sqlite":
        with engine.execution_options(writes=True).begin() as connection:
            connection.exec_driver_sql(f"PRAGMA user_version = {version}")


def _set_up_sqlite(connection: SqliteConnection, _record: object) -> None:
    # sqlite3 begins a transaction before the first write only; the view of a reader would then move under it.
    # https://docs.sqlalchemy.org/en/21/dialects/sqlite.html#enabling-non-legacy-sqlite-transactional-modes
    connection.isolation_level = None
    for pragma in (
        f"busy_timeout = {BUSY_TIMEOUT_MS}",
        "journal_mode = WAL",
        # With WAL, NORMAL loses nothing when the process dies, only when the machine does; FULL costs a sync a write.
        "synchronous = NORMAL",
        "foreign_keys = ON",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    # A reader that turns writer after another wrote fails at once, whatever the busy timeout (SQLITE_BUSY_SNAPSHOT).
    immediately = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediately else "BEGIN")


def _begin_postgresql(connection: Connection) -> None:
    # Two that both read version 3 would both write version 4. One after the other, as on SQLite, and as impatient.
    if connection.get_execution_options().get("writes", False):
        connection.exec_driver_sql(
            f"SET LOCAL lock_timeout = {BUSY_TIMEOUT_MS}; SELECT pg_advisory_xact_lock({_WRITERS_LOCK})"
        )
