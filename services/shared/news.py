"""Waiting for what somebody else writes: it keeps no thread, and no connection to the database.

Writers of this process wake those who wait when they have committed. For what other processes write to the same
database one task looks once a second, for everybody who waits, and only while somebody does.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Collection, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress

import anyio
from anyio import to_thread
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from services.shared.problems import ProblemError

LOOK_EVERY_S = 1.0
READ_AT_ONCE = 2

Ends = Callable[[Collection[str]], Mapping[str, int]]
"""Where the feeds of some topics end now. It is called in a thread."""

_TOPICS = "news of"


def announce(session: Session, topic: str) -> None:
    """Tell who waits for ``topic``, once what the session writes is committed."""
    session.info.setdefault(_TOPICS, set()).add(topic)


def announced(session: Session) -> Collection[str]:
    """What a session has to tell when it is committed."""
    topics: Collection[str] = session.info.get(_TOPICS, ())
    return topics


class Listener:
    """Somebody who waits."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._word: asyncio.Future[bool] = loop.create_future()
        self.read_up_to: int | None = None
        """None while they are still reading."""

    async def within(self, seconds: float, *, read_up_to: int) -> bool:
        """Whether there is news before so much time has passed, and before everything ends."""
        self.read_up_to = read_up_to
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                return await self._word
        return False

    def wake(self, *, news: bool) -> None:
        """Say that there is news, or that there will be none any more."""
        if not self._word.done():
            self._word.set_result(news)


class News:
    """Who waits for which topic. Any thread tells; those who wait are tasks of one event loop."""

    def __init__(self) -> None:
        self._listeners: dict[str, set[Listener]] = defaultdict(set)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._leaving = asyncio.Event()
        self._wanted = asyncio.Event()
        self.woken = anyio.CapacityLimiter(READ_AT_ONCE)
        """Those who read what they were woken for."""

    @property
    def waiting(self) -> int:
        """How many have read what there is, and wait for more."""
        return sum(each.read_up_to is not None for listeners in self._listeners.values() for each in listeners)

    def tell(self, topics: Collection[str]) -> None:
        """Wake who waits for one of them. What it is about must be committed."""
        if self._loop is not None and any(topic in self._listeners for topic in topics):
            self._loop.call_soon_threadsafe(self._wake, topics)

    @contextmanager
    def listening(self, topic: str, *, leaving: asyncio.Event) -> Iterator[Listener]:
        """Listen before reading, so that nothing falls between what was read and what is waited for.

        ``leaving`` is set when the server is to stop: from then on there is no news.
        """
        self._loop, self._leaving = asyncio.get_running_loop(), leaving
        listener = Listener(self._loop)
        if leaving.is_set():
            listener.wake(news=False)
        self._listeners[topic].add(listener)
        self._wanted.set()
        try:
            yield listener
        finally:
            self._listeners[topic].discard(listener)
            if not self._listeners[topic]:
                del self._listeners[topic]

    @asynccontextmanager
    async def looking_out(self, ends: Ends) -> AsyncIterator[None]:
        """For the block, tell also of what others have committed, and of the end."""
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._look_out, ends)
            yield
            tasks.cancel_scope.cancel()

    async def _look_out(self, ends: Ends) -> None:
        while not await self._left():
            try:
                found = await to_thread.run_sync(ends, list(self._listeners))
            except (ProblemError, SQLAlchemyError):
                self._wake(list(self._listeners))  # their own reading tells them what is wrong
                continue
            for topic, end in found.items():
                for listener in self._listeners.get(topic, ()):
                    if listener.read_up_to is not None and listener.read_up_to < end:
                        listener.wake(news=True)
        self._wake(list(self._listeners), news=False)

    async def _left(self) -> bool:
        """Whether the server is to stop; tells after a moment, and not before somebody waits."""
        if not self._listeners:
            self._wanted.clear()
            await self._wanted.wait()
        with suppress(TimeoutError):
            async with asyncio.timeout(LOOK_EVERY_S):
                await self._leaving.wait()
        return self._leaving.is_set()

    def _wake(self, topics: Collection[str], *, news: bool = True) -> None:
        for topic in topics:
            for listener in self._listeners.get(topic, ()):
                listener.wake(news=news)
