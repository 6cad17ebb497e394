"""Revisions: modules such as ``r0002_comments`` in a service's package ``migrations``, in the order of their names.

An empty database is not taken through them: it gets the tables of the present code at once and is marked with the
newest revision. The scenarios of each service hold that both ways lead to the same tables.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from importlib import resources
from pathlib import Path

from sqlalchemy import Column, Connection, Engine, MetaData, PrimaryKeyConstraint, String, Table, inspect, select

FIRST = "0001"
"""The revision of a database that was made before revisions were kept."""

_PACKAGE = "migrations"
_NAME = re.compile(r"r(\d{4})_\w+\.py")
_CONSTRAINT_NAMES = {
    "pk": "%(table_name)s_pkey",
    "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
    "uq": "%(table_name)s_%(column_0_N_name)s_key",
    "ix": "%(table_name)s_%(column_0_N_name)s_idx",
    "ck": "%(table_name)s_%(constraint_name)s_check",
}
"""As PostgreSQL would choose: a revision can name what it changes, on SQLite too."""


class UnknownRevisionError(Exception):
    """The database was written by newer code than this."""


def tables_of(package: str) -> MetaData:
    """An empty collection for the tables of a service, whose revisions are in ``package``."""
    return MetaData(naming_convention=_CONSTRAINT_NAMES, info={_PACKAGE: package})


def newest(tables: MetaData) -> str | None:
    """The revision that the present code is at; None where none are kept."""
    package = tables.info.get(_PACKAGE)
    return _revisions(package)[-1] if package else None


def is_newest(connection: Connection, tables: MetaData) -> bool:
    """Whether a database that was laid is at the newest revision; where none are kept, it is."""
    package = tables.info.get(_PACKAGE)
    return package is None or connection.scalar(select(_version_table(package).c.version_num)) == newest(tables)


def upgrade(engine: Engine, tables: MetaData, *, to: str | None = None) -> None:
    """Make the database's tables those of revision ``to`` (the newest), whatever it was at. What it holds is kept.

    Nothing has happened if it fails. Two that start at once do it one after the other.

    Raises:
        UnknownRevisionError: the database is at a revision that this code does not know.
    """
    package = tables.info.get(_PACKAGE)
    with _changing(engine) as connection:
        if package is None:
            tables.create_all(connection)
            return
        at = _revision(connection, tables, package)
        if at is None and to is None:
            tables.create_all(connection)
            _mark(connection, package, _revisions(package)[-1])
        elif at != (to or _revisions(package)[-1]):
            _migrate(connection, tables, package, to=to or "head")


@lru_cache
def _revisions(package: str) -> tuple[str, ...]:
    names = (file.name for file in resources.files(package).iterdir())
    return tuple(sorted(found[1] for name in names if (found := _NAME.fullmatch(name))))


@lru_cache
def _version_table(package: str) -> Table:
    """Alembic's own, under a name of the service's: two that share a database would take each other's for theirs."""
    name = f"{package.split('.')[-2]}_revision"
    key = PrimaryKeyConstraint("version_num", name=f"{name}_pkc")  # named as Alembic would
    return Table(name, MetaData(), Column("version_num", String(32)), key)


def _revision(connection: Connection, tables: MetaData, package: str) -> str | None:
    """What the database is at, and says from now on; None: it is empty."""
    version = _version_table(package)
    present = set(inspect(connection).get_table_names())
    if version.name in present and (at := connection.scalar(select(version.c.version_num))) is not None:
        known = _revisions(package)
        if at not in known:
            raise UnknownRevisionError(
                f"The database is at revision {at} of {package}, and this code knows only {', '.join(known)}. "
                "Run the code that wrote it, or give the service an empty database."
            )
        return str(at)
    if present.isdisjoint(tables.tables):
        return None
    _mark(connection, package, FIRST)
    return FIRST


def _mark(connection: Connection, package: str, revision: str) -> None:
    version = _version_table(package)
    version.create(connection, checkfirst=True)
    connection.execute(version.insert().values(version_num=revision))


def _migrate(connection: Connection, tables: MetaData, package: str, *, to: str) -> None:
    # Where nothing is to be upgraded, which is nearly every start, Alembic would cost 100 ms and 10 MiB for nothing.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415

    config = Config(attributes={"connection": connection, "tables": tables})
    config.attributes["version_table"] = _version_table(package).name
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.set_main_option("path_separator", "newline")
    with resources.as_file(resources.files(package)) as folder:
        config.set_main_option("version_locations", str(folder))
        command.upgrade(config, to)


@contextmanager
def _changing(engine: Engine) -> Iterator[Connection]:
    """One transaction. SQLite changes a table by making another and dropping the first, which its foreign keys would
    forbid; so they are looked at afterwards (https://www.sqlite.org/lang_altertable.html#otheralter)."""
    with engine.connect().execution_options(writes=True) as connection:
        if engine.dialect.name != "sqlite":
            with connection.begin():
                yield connection
            return
        driver = connection.connection.dbapi_connection
        assert driver is not None  # noqa: S101  # it has just been connected
        driver.execute("PRAGMA foreign_keys = OFF")
        try:
            with connection.begin():
                yield connection
                broken = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
                if broken:
                    raise RuntimeError(f"the revision leaves rows that refer to nothing: {broken[:3]}")
        finally:
            driver.execute("PRAGMA foreign_keys = ON")
