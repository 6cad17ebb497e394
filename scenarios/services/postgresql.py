"""A PostgreSQL server of the scenarios' own: on a socket in a temporary folder, so it takes no port from anybody."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import psycopg

from harness.tether import follow_parent

OWNER = "rehearsal"
READY_IN_S = 30.0
SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",  # nothing here outlives the machine
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "100",
    "autovacuum": "off",  # rows that are put back go behind all others, as in a copy
}
FIRST_WITH_STRATEGIES = 150_000
OTHERS = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
STRUCTURE = """
    SELECT attrelid, attnum, attname, atttypid, attnotnull FROM pg_attribute
    JOIN pg_class ON pg_class.oid = attrelid AND relnamespace = 'public'::regnamespace
    UNION ALL SELECT oid, 0, conname, contypid, convalidated FROM pg_constraint ORDER BY 1, 2, 3
"""
"""Every column of the tables and indexes there are, and every constraint."""
TO_INSTALL = "PostgreSQL is not installed: `apt-get install postgresql`, or have `initdb` and `postgres` on the PATH"


class Server:
    """A running server."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._numbers = count(1)

    def new_database(self, *, like: str = "template1") -> str:
        """The URL of a new database, empty or a copy of the one of that name, to which nobody may be connected."""
        name = f"{OWNER}_{next(self._numbers)}"
        with self.connected("postgres") as connection:
            # Not through the log, which takes twice as long; older servers know no other way than this.
            way = "STRATEGY FILE_COPY" if connection.info.server_version >= FIRST_WITH_STRATEGIES else ""
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {like} {way}")
        return f"postgresql+psycopg://{OWNER}@/{name}?host={self.folder}"

    def connected(self, database: str) -> psycopg.Connection[Any]:
        """A connection of the owner's to that database, without transactions of its own."""
        return psycopg.connect(host=str(self.folder), user=OWNER, dbname=database, autocommit=True)


class Restorable:
    """A database whose rows can be put back as they are now, which takes a tenth of the time of a copy of it.

    A copy is some three hundred files, to be removed in the end, too.
    """

    def __init__(self, server: Server, database: str) -> None:
        self._server, self._database = server, database
        with server.connected(database) as connection:
            tables = [
                name for (name,) in connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
            ]
            assert connection.execute("SELECT * FROM pg_sequences").fetchall() == [], (
                "they would have to be put back, too"
            )
            connection.execute("CREATE SCHEMA original")
            for table in tables:
                connection.execute(f"CREATE TABLE original.{table} AS TABLE public.{table}")
            self._structure = connection.execute(STRUCTURE).fetchall()
        put_back = "DELETE FROM public.{0}; INSERT INTO public.{0} TABLE original.{0};"
        self._put_back = "".join(put_back.format(table) for table in tables)

    def restore(self) -> bool:
        """Put the rows back; False if somebody is connected who might write, or other things than rows have changed."""
        with self._server.connected(self._database) as connection:
            if connection.execute(OTHERS).fetchall() or connection.execute(STRUCTURE).fetchall() != self._structure:
                return False
            connection.execute(f"BEGIN; SET LOCAL session_replication_role = replica; {self._put_back} COMMIT")
        return True


def programs() -> Path | None:
    """The folder of the server's programs; Debian keeps them off the PATH."""
    found = shutil.which("initdb")
    folders = [Path(found).resolve().parent] if found else sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    return next((folder for folder in reversed(folders) if (folder / "postgres").exists()), None)


@contextmanager
def running(programs: Path) -> Iterator[Server]:
    """A server that is gone when the block ends, or with this process."""
    # Not pytest's folder: the path of a socket has at most 107 characters, and others must get in.
    folder = Path(tempfile.mkdtemp(prefix="rehearsal-pg-"))
    account = _unprivileged()
    if account is not None:
        os.chown(folder, account.pw_uid, account.pw_gid)
    user = None if account is None else account.pw_uid
    try:
        data = folder / "data"
        subprocess.run(
            [programs / "initdb", "-D", data, "-U", OWNER, "-E", "UTF8", "--locale=C.UTF-8", "-A", "trust", "-N"],
            cwd=folder, user=user, check=True, capture_output=True, text=True,
        )  # fmt: skip
        yield from _serving([str(programs / "postgres"), "-D", str(data), "-k", str(folder)], folder, user)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _serving(command: list[str], folder: Path, user: int | None) -> Iterator[Server]:
    settings = [word for name, value in SETTINGS.items() for word in ("-c", f"{name}={value}")]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(
            [*command, *settings],
            cwd=folder, user=user, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            preexec_fn=_follow,  # noqa: PLW1509  # what it does takes no lock
        )  # fmt: skip
    try:
        _wait_until_ready(server, folder)
        yield Server(folder)
    finally:
        server.send_signal(signal.SIGQUIT)  # at once: its databases are thrown away
        server.wait(timeout=READY_IN_S)


def _follow() -> None:
    follow_parent(yes=True)


def _unprivileged() -> pwd.struct_passwd | None:
    """Whom the server runs as; it refuses to be root. None: as whoever runs this."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    return None


def _wait_until_ready(server: subprocess.Popen[bytes], folder: Path) -> None:
    deadline = time.monotonic() + READY_IN_S
    while True:
        try:
            psycopg.connect(host=str(folder), user=OWNER, dbname="postgres").close()
            return
        except psycopg.OperationalError as error:
            if server.poll() is not None or time.monotonic() > deadline:
                log = (folder / "log").read_text(encoding="utf-8", errors="replace")
                raise RuntimeError(f"PostgreSQL did not start ({error}); its log:\n{log}") from error
            time.sleep(0.02)
