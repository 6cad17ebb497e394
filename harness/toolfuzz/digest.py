"""Whether anything in a database has changed, told by what is in it."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterable
from pathlib import Path


class Digest:
    """Watches SQLite files from outside. Looking again costs next to nothing while nobody has written."""

    def __init__(self, files: Iterable[Path]) -> None:
        self._connections = [sqlite3.connect(f"file:{file}?mode=rw", uri=True) for file in files]
        self._written: list[int] = []
        self._digest = ""

    def now(self) -> str:
        """The same as long as every row of every table is the same."""
        # Another connection's commit changes it: https://www.sqlite.org/pragma.html#pragma_data_version
        written = [connection.execute("PRAGMA data_version").fetchone()[0] for connection in self._connections]
        if written != self._written:
            self._written = written
            self._digest = hashlib.sha256("\n".join(map(_content, self._connections)).encode()).hexdigest()
        return self._digest

    def close(self) -> None:
        """Let go of the files."""
        for connection in self._connections:
            connection.close()


def _content(connection: sqlite3.Connection) -> str:
    tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
    rows = (f"{table}: {row!r}" for table in tables for row in _rows(connection, table))
    return "\n".join(sorted(rows))


def _rows(connection: sqlite3.Connection, table: str) -> Iterable[tuple[object, ...]]:
    quoted = table.replace('"', '""')
    return connection.execute(f'SELECT * FROM "{quoted}"')  # noqa: S608 - the name is the database's own
