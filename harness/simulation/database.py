"""The SQLite file of one service: laid from a template where there is one, taken away by a reset."""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

SUFFIXES = ("", "-wal", "-shm", "-journal")


@dataclass(frozen=True)
class Database:
    """``file`` is the service's; ``template`` is where a copy of the freshly seeded one is kept for other stacks."""

    file: Path
    template: Path | None = None

    def lay(self) -> bool:
        """Put the template in place if there is no database yet; returns whether the service will have to seed one."""
        if self.file.exists():
            return False
        if self.template is None or not self.template.exists():
            return True
        draft = self.file.with_name(f"{self.file.name}.new")
        shutil.copyfile(self.template, draft)
        draft.replace(self.file)
        return False

    def keep(self) -> None:
        """Make the template from a database that has just been seeded and that nobody has written to since."""
        if self.template is None or not self.file.exists():
            return
        draft = self.template.with_name(f"{self.template.name}.{os.getpid()}")
        try:
            self.template.parent.mkdir(parents=True, exist_ok=True)
            with closing(sqlite3.connect(self.file)) as seeded, closing(sqlite3.connect(draft)) as copy:
                seeded.backup(copy)
            draft.replace(self.template)
        except (OSError, sqlite3.Error):  # a full disk: every stack seeds its own then
            draft.unlink(missing_ok=True)

    def remove(self) -> None:
        """Take the data away."""
        for suffix in SUFFIXES:
            Path(f"{self.file}{suffix}").unlink(missing_ok=True)
