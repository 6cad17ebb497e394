"""Databases of older code, and what a database itself tells of its tables: two are compared whatever made them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, Inspector, MetaData, create_engine, inspect
from sqlalchemy.types import NullType, TypeEngine

from services.shared.database import connected
from services.shared.migrations import revisions


@contextmanager
def engine_of(url: str) -> Iterator[Engine]:
    engine = create_engine(url)
    try:
        yield engine
    finally:
        engine.dispose()


def made_by_revision(url: str, tables: MetaData, revision: str, *, rows: Sequence[str]) -> None:
    """A database as the code of ``revision`` left it, with ``rows`` (INSERT statements)."""
    with engine_of(url) as engine:
        revisions.upgrade(engine, tables, to=revision)
        execute(engine, *rows)


def execute(engine: Engine, *statements: str) -> None:
    with engine.begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)


def both_ways(new_database: Callable[[], str], tables: MetaData, *, rows: Sequence[str]) -> list[dict[str, Any]]:
    """The tables that the revisions lead to, from the first on and over ``rows``; and those an empty database gets."""
    described = []
    for older in (True, False):
        url = new_database()
        if older:
            made_by_revision(url, tables, revisions.FIRST, rows=rows)
        with connected(url, tables) as database:
            described.append(described_by(database.engine))
    return described


def described_by(engine: Engine) -> dict[str, Any]:
    """Every table with its columns, keys, constraints and indexes."""
    inspector = inspect(engine)
    return {name: _table(inspector, name, engine) for name in inspector.get_table_names()}


def _table(inspector: Inspector, name: str, engine: Engine) -> dict[str, Any]:
    return {
        "columns": {
            column["name"]: (_type(column["type"], engine), column["nullable"], column["default"])
            for column in inspector.get_columns(name)
        },
        "primary key": inspector.get_pk_constraint(name),
        "foreign keys": _sorted(inspector.get_foreign_keys(name)),
        "unique": _sorted(inspector.get_unique_constraints(name)),
        "checks": _sorted(inspector.get_check_constraints(name)),
        "indexes": _sorted(inspector.get_indexes(name)),
    }


def _type(kind: TypeEngine[Any], engine: Engine) -> str:
    """The type's name; the tables inside a full text index have columns of none."""
    return "" if isinstance(kind, NullType) else kind.compile(engine.dialect)


def _sorted(entries: Any) -> list[str]:
    return sorted(repr(sorted(entry.items())) for entry in entries)
