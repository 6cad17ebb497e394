"""Finding text anywhere in a ticket without reading all tickets: trigrams, by SQLite's FTS5 or PostgreSQL's pg_trgm.

SQLite keeps two tables for that: the index itself, which knows the kinds of a ticket as well as its text, and beside it
what else hits are filtered by, in rows so short that looking up every hit of a common word takes half the time it takes
in the tickets. Triggers keep both in step, in the transaction that changes a ticket. The statements for PostgreSQL stay
as they are: there an index serves ``LIKE``, and without it they only take longer.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, Integer, MetaData, String, Table, event, literal_column

from services.shared.database import UtcDateTime

SHORTEST = 3
"""Characters; in less there is no trigram to look up."""

HITS = Table("ticket_text", MetaData(), Column("rowid", Integer))
"""The index of SQLite: a row per ticket, whose ``rowid`` is the ticket's place."""

PLACE: ColumnElement[int] = literal_column("+ticket_text.rowid")
"""The place of a hit. By its plain name SQLite would look up single rows in the index, at 0.1 ms each."""

FACETS = Table(
    "ticket_facets",
    MetaData(),
    Column("place", Integer, primary_key=True),
    Column("number", Integer),
    Column("org_id", String),
    Column("status", String),
    Column("priority", String),
    Column("urgency", Integer),
    Column("type", String),
    Column("reporter_id", String),
    Column("assignee_id", String),
    Column("team_id", String),
    Column("created_at", UtcDateTime),
    Column("updated_at", UtcDateTime),
)
"""What of a ticket its hits are filtered and sorted by."""

_MARKS = {"status": "s", "priority": "p", "type": "t"}


def _kinds(row: str) -> str:
    """SQL for status, priority and type as one trigram each: so a hit can be told by them without being looked up."""
    parts = (f"'{mark}' || substr({row}.{column}, 1, 2)" for column, mark in _MARKS.items())
    return " || ' ' || ".join(parts)


_ADDED = f"""
CREATE TRIGGER ticket_text_added AFTER INSERT ON tickets BEGIN
    INSERT INTO ticket_text(rowid, searched, kinds) VALUES (new.place, new.searched, {_kinds("new")});
    INSERT INTO ticket_facets VALUES (
        new.place, new.number, new.org_id, new.status, new.priority, new.urgency, new.type, new.reporter_id,
        new.assignee_id, new.team_id, new.created_at, new.updated_at
    );
END
"""  # noqa: S608  # of constants
_SQLITE = f"""
CREATE VIRTUAL TABLE ticket_text USING fts5(
    searched, kinds, content='', tokenize='trigram case_sensitive 1'
);;
CREATE TABLE ticket_facets (
    place INTEGER PRIMARY KEY, number, org_id, status, priority, urgency, type, reporter_id, assignee_id, team_id,
    created_at, updated_at
);;
CREATE TRIGGER ticket_text_changed AFTER UPDATE ON tickets
WHEN old.searched <> new.searched OR {_kinds("old")} <> {_kinds("new")} BEGIN
    INSERT INTO ticket_text(ticket_text, rowid, searched, kinds)
    VALUES ('delete', old.place, old.searched, {_kinds("old")});
    INSERT INTO ticket_text(rowid, searched, kinds) VALUES (new.place, new.searched, {_kinds("new")});
END;;
CREATE TRIGGER ticket_facets_changed AFTER UPDATE ON tickets BEGIN
    UPDATE ticket_facets SET
        number = new.number, org_id = new.org_id, status = new.status, priority = new.priority,
        urgency = new.urgency, type = new.type, reporter_id = new.reporter_id, assignee_id = new.assignee_id,
        team_id = new.team_id, created_at = new.created_at, updated_at = new.updated_at
    WHERE place = new.place;
END;;
CREATE TRIGGER ticket_text_removed AFTER DELETE ON tickets BEGIN
    INSERT INTO ticket_text(ticket_text, rowid, searched, kinds)
    VALUES ('delete', old.place, old.searched, {_kinds("old")});
    DELETE FROM ticket_facets WHERE place = old.place;
END
"""  # noqa: S608  # of constants

_POSTGRESQL = """
DO $$ BEGIN
    CREATE EXTENSION IF NOT EXISTS pg_trgm;
    CREATE INDEX ticket_text ON tickets USING gin (searched gin_trgm_ops);
EXCEPTION WHEN insufficient_privilege OR feature_not_supported OR undefined_file OR undefined_object THEN
    RAISE NOTICE 'pg_trgm is not to be had: searches for text will read every ticket';
END $$
"""


def make(connection: Connection) -> None:
    """Make the index on a table of tickets that is there and has none."""
    statements = {"sqlite": (*_SQLITE.split(";;"), _ADDED), "postgresql": (_POSTGRESQL,)}
    for statement in statements[connection.dialect.name]:
        connection.exec_driver_sql(statement)


@contextmanager
def filled_afterwards(connection: Connection) -> Iterator[None]:
    """Around many new tickets at once: SQLite would write its index out after each of them (five times as long)."""
    if connection.dialect.name != "sqlite":
        yield
        return
    connection.exec_driver_sql("DROP TRIGGER ticket_text_added")
    yield
    columns = ", ".join(column.name for column in FACETS.columns)
    kinds = _kinds("tickets")
    connection.exec_driver_sql(
        f"INSERT INTO ticket_text (rowid, searched, kinds) SELECT place, searched, {kinds} FROM tickets"  # noqa: S608
    )
    connection.exec_driver_sql(f"INSERT INTO ticket_facets ({columns}) SELECT {columns} FROM tickets")  # noqa: S608
    connection.exec_driver_sql(_ADDED)


def attach(tickets: Table) -> None:
    """Make the index wherever the table of tickets is made."""
    event.listen(tickets, "after_create", lambda _table, connection, **_: make(connection))


def holds(text: str, **kinds: Collection[str]) -> ColumnElement[bool]:
    """What hits of ``text``, which is taken as it is, fulfil in SQLite's index; of ``kinds``, such as ``status``, any
    value will do, and so will all if none is named.
    """
    quoted = text.replace('"', '""')
    asked = [f'searched : "{quoted}"']
    asked += [
        f"kinds : ({' OR '.join(code(kind, each) for each in values)})" for kind, values in kinds.items() if values
    ]
    matches: ColumnElement[Any] = literal_column("ticket_text").op("MATCH", is_comparison=True)(" AND ".join(asked))
    return matches


def code(kind: str, value: str) -> str:
    """The trigram of a value."""
    return f'"{_MARKS[kind]}{value[:2]}"'
