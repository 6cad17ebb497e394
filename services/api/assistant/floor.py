"""Who speaks in a conversation: one turn at a time, so that no turn is answered and then thrown away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from weakref import WeakValueDictionary

from services.shared.problems import Conflict

PATIENCE_S = 2.0
"""Seconds in which a turn that was just stopped is put away, and somebody in a hurry need not be refused."""


class Floor:
    """The conversations of this process in which a turn is under way. Other processes are found by the store."""

    def __init__(self) -> None:
        self._taken: WeakValueDictionary[tuple[str, str], asyncio.Lock] = WeakValueDictionary()

    @asynccontextmanager
    async def of(self, owner: str, id: str) -> AsyncIterator[None]:  # noqa: A002 - the conversation's
        """Have the floor in a conversation until the block ends.

        Raises:
            Conflict: another turn has it, and goes on.
        """
        lock = self._taken.setdefault((owner, id), asyncio.Lock())
        try:
            async with asyncio.timeout(PATIENCE_S):
                await lock.acquire()
        except TimeoutError:
            raise Conflict("This conversation is being answered elsewhere; nothing of this was taken up.") from None
        try:
            yield
        finally:
            lock.release()
