"""Which revision a database is at, and what is done about it."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent
from threading import Thread

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import Column, MetaData, String, Table
from sqlalchemy.exc import OperationalError, ProgrammingError

from scenarios.services import schemas
from services.shared.database import connected
from services.shared.migrations import revisions

FIRST = """
    "First"
    import sqlalchemy as sa
    from alembic import op
    revision, down_revision = "0001", None

    def upgrade():
        op.create_table("houses", sa.Column("id", sa.String(), primary_key=True))
        op.create_table("rooms", sa.Column("id", sa.String(), primary_key=True),
                        sa.Column("house", sa.String(), sa.ForeignKey("houses.id"), nullable=False))
"""
SECOND = """
    "Second: SQLite must make the table anew for it"
    import sqlalchemy as sa
    from alembic import op
    revision, down_revision = "0002", "0001"

    def upgrade():
        with op.batch_alter_table("houses") as houses:
            houses.add_column(sa.Column("street", sa.String(), nullable=False, server_default="Main"))
        with op.batch_alter_table("houses") as houses:
            houses.alter_column("street", server_default=None)
        {more}
"""


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The migrations of a service called ``estate``, at its first revision."""
    folder = tmp_path / "estate" / "migrations"
    folder.mkdir(parents=True)
    for path in (folder.parent, folder):
        (path / "__init__.py").touch()
    write(folder, "r0001_houses.py", FIRST)
    monkeypatch.syspath_prepend(tmp_path)
    importlib.invalidate_caches()
    yield folder
    for name in [name for name in sys.modules if name.split(".")[0] == "estate"]:
        del sys.modules[name]


def write(folder: Path, name: str, source: str) -> None:
    (folder / name).write_text(dedent(source), encoding="utf-8")
    revisions._revisions.cache_clear()  # noqa: SLF001  # nobody else's package grows while it is in use


def tables(*columns: str) -> MetaData:
    estate = revisions.tables_of("estate.migrations")
    Table("houses", estate, Column("id", String, primary_key=True), *(Column(name, String) for name in columns))
    return estate


def revision_in(url: str) -> str:
    with schemas.engine_of(url) as engine, engine.connect() as connection:
        return str(connection.exec_driver_sql("SELECT version_num FROM estate_revision").scalar_one())


def test_an_empty_database_is_marked_with_the_newest_revision(package: Path, database_url: str) -> None:
    write(package, "r0002_streets.py", SECOND.format(more=""))
    with connected(database_url, tables("street")):
        pass
    assert revision_in(database_url) == "0002"


def test_an_older_one_is_upgraded_and_what_refers_to_its_rows_still_does(package: Path, database_url: str) -> None:
    rows = ("INSERT INTO houses VALUES ('h1')", "INSERT INTO rooms VALUES ('r1', 'h1')")
    schemas.made_by_revision(database_url, tables(), "0001", rows=rows)
    write(package, "r0002_streets.py", SECOND.format(more=""))
    with connected(database_url, tables("street")) as database, database.engine.connect() as connection:
        joined = "SELECT houses.id, street, rooms.id FROM houses JOIN rooms ON house = houses.id"
        assert connection.exec_driver_sql(joined).all() == [("h1", "Main", "r1")]
    assert revision_in(database_url) == "0002"


def test_one_from_before_revisions_were_kept_is_taken_for_the_first(package: Path, database_url: str) -> None:
    with schemas.engine_of(database_url) as engine:
        schemas.execute(engine, "CREATE TABLE houses (id VARCHAR PRIMARY KEY)", "INSERT INTO houses VALUES ('h1')")
    write(package, "r0002_streets.py", SECOND.format(more=""))
    with connected(database_url, tables("street")) as database, database.engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT street FROM houses").all() == [("Main",)]


def test_one_of_newer_code_is_refused_and_left_alone(package: Path, database_url: str) -> None:
    schemas.made_by_revision(database_url, tables(), "0001", rows=("UPDATE estate_revision SET version_num = '0099'",))
    with pytest.raises(revisions.UnknownRevisionError, match=r"at revision 0099.* knows only 0001"):
        connected(database_url, tables()).__enter__()
    assert revision_in(database_url) == "0099"


def test_a_complete_file_of_newer_code_is_refused_too(package: Path, tmp_path: Path) -> None:
    """It says of itself that all is there, which spares the start most of its work, but not this."""
    url = f"sqlite:///{tmp_path / 'estate.db'}"
    for _ in ("laid", "complete"):
        with connected(url, tables(), lay=lambda _: None):
            pass
    with schemas.engine_of(url) as engine:
        schemas.execute(engine, "UPDATE estate_revision SET version_num = '0099'")
    with pytest.raises(revisions.UnknownRevisionError, match=r"at revision 0099.* knows only 0001"):
        connected(url, tables(), lay=lambda _: None).__enter__()


def test_a_revision_that_fails_changes_nothing(package: Path, database_url: str) -> None:
    schemas.made_by_revision(database_url, tables(), "0001", rows=("INSERT INTO houses VALUES ('h1')",))
    write(package, "r0002_streets.py", SECOND.format(more='op.execute("SELECT nonsense")'))
    with pytest.raises((OperationalError, ProgrammingError), match="nonsense"):
        connected(database_url, tables("street")).__enter__()
    assert revision_in(database_url) == "0001"
    with schemas.engine_of(database_url) as engine:
        assert list(schemas.described_by(engine)["houses"]["columns"]) == ["id"]


def test_a_revision_that_leaves_rows_without_what_they_refer_to_changes_nothing(package: Path, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'estate.db'}"  # PostgreSQL looks at every statement
    rows = ("INSERT INTO houses VALUES ('h1')", "INSERT INTO rooms VALUES ('r1', 'h1')")
    schemas.made_by_revision(url, tables(), "0001", rows=rows)
    write(package, "r0002_streets.py", SECOND.format(more='op.execute("DELETE FROM houses")'))
    with pytest.raises(RuntimeError, match="refer to nothing"):
        connected(url, tables("street")).__enter__()
    assert revision_in(url) == "0001"


def test_services_that_start_at_once_upgrade_it_once(package: Path, database_url: str) -> None:
    schemas.made_by_revision(database_url, tables(), "0001", rows=("INSERT INTO houses VALUES ('h1')",))
    write(package, "r0002_streets.py", SECOND.format(more=""))
    with connected(database_url, MetaData()):
        pass  # an SQLite file is in write-ahead mode from its first service on
    failed: list[BaseException] = []

    def start() -> None:
        try:
            with connected(database_url, tables("street")):
                pass
        except BaseException as error:  # noqa: BLE001  # told below
            failed.append(error)

    threads = [Thread(target=start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert revision_in(database_url) == "0002"


@pytest.mark.parametrize("service", ["ticketing", "organizations"])
def test_the_names_of_the_modules_say_the_same_as_alembic(service: str) -> None:
    folder = Path("services") / service / "migrations"
    script = ScriptDirectory(folder, version_locations=[folder])
    assert script.get_heads() == [revisions.newest(revisions.tables_of(f"services.{service}.migrations"))]
    assert len(list(script.walk_revisions())) == len(list(folder.glob("r*.py")))
