"""Records in an SQLite file, one shelf per kind and tenant: what was written is there after a kill -9."""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from hashlib import sha256
from typing import Any, Generic, Protocol, TypeVar

from pydantic import TypeAdapter

CAPACITY = 100_000
"""Records on one shelf; the oldest make room for new ones, so that a flood of requests cannot fill the disk. Not so
where to forget would be to allow: there a record stays until its time is over."""

_TIDY_EVERY = 1_000
_IN_MEMORY = "sqlite://"
_TABLES = """
CREATE TABLE IF NOT EXISTS records (
    tenant TEXT NOT NULL, shelf TEXT NOT NULL, key TEXT NOT NULL, owner TEXT NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (tenant, shelf, key)
);
CREATE INDEX IF NOT EXISTS by_age ON records (tenant, shelf);
CREATE INDEX IF NOT EXISTS by_owner ON records (tenant, shelf, owner);
"""


class Perishable(Protocol):
    """Something that ends at a POSIX time."""

    @property
    def expires_at(self) -> float: ...


Record = TypeVar("Record", bound=Perishable)


@contextmanager
def opened(url: str) -> Iterator[sqlite3.Connection]:
    """The database at ``sqlite:///PATH``, or one in memory at ``sqlite://``, with its table; every statement commits.

    No ORM: a token must not cost more than its signature, and there are no relations here.

    Raises:
        ValueError: another kind of URL.
        sqlite3.Error: the file cannot be used.
    """
    place = ":memory:" if url == _IN_MEMORY else url.removeprefix(f"{_IN_MEMORY}/")
    if not url.startswith(_IN_MEMORY) or not place:
        raise ValueError(f"IDP_DATABASE_URL is {url!r}: it must be sqlite:///PATH, or sqlite:// for memory")
    # Started and asked in one event loop; a test client may run the two in different threads, one after the other.
    connection = sqlite3.connect(place, isolation_level=None, check_same_thread=False)
    try:
        # With WAL, NORMAL loses nothing when the process dies, only when the machine does.
        for pragma in ("journal_mode = WAL", "synchronous = NORMAL", "busy_timeout = 5000"):
            connection.execute(f"PRAGMA {pragma}")
        connection.executescript(_TABLES)
        yield connection
    finally:
        connection.close()


class Shelf(Generic[Record]):
    """Records by key. ``owner`` is one more name to find them by, such as the session they belong to."""

    def __init__(
        self, connection: sqlite3.Connection, kind: type[Record], *, tenant: str, name: str, displaces: bool = True
    ) -> None:
        """Without ``displaces`` a record makes room only when its time is over."""
        self._connection = connection
        self._place = (tenant, name)
        self._adapter: TypeAdapter[Record] = _adapter(kind)
        self._displaces = displaces
        self._added = 0
        self._latest = 0.0

    def put(self, key: str, record: Record, *, owner: str = "") -> None:
        """Lay down or replace."""
        self._connection.execute(
            "INSERT INTO records (tenant, shelf, key, owner, body) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT (tenant, shelf, key) DO UPDATE SET owner = excluded.owner, body = excluded.body",
            (*self._place, key, owner, self._adapter.dump_json(record).decode()),
        )
        self._added += 1
        if self._added % _TIDY_EVERY == 0:
            self._make_room()

    def get(self, key: str | None, *, at: float) -> Record | None:
        """The record, unless its time is over."""
        self._latest = max(self._latest, at)
        if not key:
            return None
        row = self._connection.execute(
            "SELECT body FROM records WHERE tenant = ? AND shelf = ? AND key = ?", (*self._place, key)
        ).fetchone()
        record = self._adapter.validate_json(row[0]) if row else None
        return None if record is None or at >= record.expires_at else record

    def all(self, *, at: float, owner: str | None = None) -> Mapping[str, Record]:
        """Every record whose time is not over, or those of one owner; the oldest first."""
        rows = self._connection.execute(
            "SELECT key, body FROM records WHERE tenant = ? AND shelf = ? AND (? IS NULL OR owner = ?) ORDER BY rowid",
            (*self._place, owner, owner),
        )
        records = {key: self._adapter.validate_json(body) for key, body in rows}
        return {key: record for key, record in records.items() if at < record.expires_at}

    def drop(self, key: str) -> None:
        """Forget; unknown keys are fine."""
        self._connection.execute("DELETE FROM records WHERE tenant = ? AND shelf = ? AND key = ?", (*self._place, key))

    def clear(self) -> None:
        """Forget all."""
        self._connection.execute("DELETE FROM records WHERE tenant = ? AND shelf = ?", self._place)

    def _make_room(self) -> None:
        self._connection.execute(
            "DELETE FROM records WHERE tenant = ? AND shelf = ? AND json_extract(body, '$.expires_at') <= ?",
            (*self._place, self._latest),
        )
        if not self._displaces:
            return
        self._connection.execute(
            "DELETE FROM records WHERE tenant = ? AND shelf = ? AND rowid <= ("
            "SELECT rowid FROM records WHERE tenant = ? AND shelf = ? ORDER BY rowid DESC LIMIT 1 OFFSET ?)",
            (*self._place, *self._place, CAPACITY),
        )


@cache
def _adapter(kind: type[Any]) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def kept(shelf: Shelf[Record], record: Record, *, owner: str = "") -> str:
    """Lay a record down under a new secret, and return that; on the shelf is only its digest."""
    secret = secrets.token_urlsafe(32)
    shelf.put(digest(secret), record, owner=owner)
    return secret


def digest(secret: str) -> str:
    """What is kept of a secret, such as the key of a record that is asked for by it: it is long and random, so that
    one round is enough.
    """
    return sha256(secret.encode()).hexdigest()
