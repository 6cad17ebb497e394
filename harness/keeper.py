"""Keeps a supervisor's record on disk true, without holding up what it is about."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

from harness.state import Record

LOOKS_EVERY_S = 1.0


class Keeper:
    """Writes the record that ``make`` gives whenever it has changed, beside the work.

    Replacing a file takes longer than to fork a child. On a full disk the record before stands: it has the mark of all
    that we run.
    """

    def __init__(self, make: Callable[[], Record]) -> None:
        self._make = make
        self._written: Record | None = None
        self._writing: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """Write the first one, before anybody is told that there is something to find.

        Raises:
            OSError: it cannot be written.
        """
        self._written = self._make()
        self._written.write()

    def changed(self) -> None:
        """There may be something new to write."""
        if self._writing is None or self._writing.done():
            self._writing = asyncio.get_running_loop().create_task(self._write())

    async def guard(self, ending: asyncio.Event) -> None:
        """Until ``ending``, write the record again when somebody has removed it: without it nobody finds what runs."""
        while not ending.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(ending.wait(), LOOKS_EVERY_S)
            if not ending.is_set() and self._written is not None and not self._written.path.exists():
                self._written = None
                self.changed()

    async def caught_up(self) -> None:
        """Wait until all that has changed is written, or cannot be."""
        if self._writing is not None:
            await self._writing

    async def _write(self) -> None:
        while (record := self._make()) != self._written:
            try:
                await asyncio.to_thread(record.write)
            except OSError:  # the next change tries again
                return
            self._written = record
