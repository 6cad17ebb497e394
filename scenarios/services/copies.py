"""Databases that begin with the same rows: laid once in each process, and copied or put back for each scenario."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import TypeAlias

from sqlalchemy import MetaData, make_url

from scenarios.services import postgresql
from services.shared.database import Database, connected

Lay: TypeAlias = Callable[[Database], None]


class Originals:
    """What has been laid so far; nobody writes into these."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._numbers = count(1)
        self._urls: dict[tuple[str, Lay], str] = {}
        self._lent: dict[Lay, tuple[str, postgresql.Restorable]] = {}

    def sqlite(self, tables: MetaData, lay: Lay, *, to: Path) -> str:
        """The URL of a copy in the file ``to``."""
        original = self._laid("sqlite", tables, lay, lambda: f"sqlite:///{self._folder / str(next(self._numbers))}.db")
        shutil.copy(make_url(original).database or "", to)
        return f"sqlite:///{to}"

    def postgresql(self, tables: MetaData, lay: Lay, *, server: postgresql.Server) -> str:
        """The URL of a copy on the server: the one that another scenario had before, if it can be put right."""
        url, lent = self._lent.get(lay, ("", None))
        if lent is None or not lent.restore():
            original = self._laid("postgresql", tables, lay, server.new_database)
            url = server.new_database(like=make_url(original).database or "")
            self._lent[lay] = url, postgresql.Restorable(server, make_url(url).database or "")
        return url

    def _laid(self, kind: str, tables: MetaData, lay: Lay, new: Callable[[], str]) -> str:
        if (kind, lay) not in self._urls:
            url = new()
            with connected(url, tables, lay=lay):
                pass
            self._urls[kind, lay] = url
        return self._urls[kind, lay]
