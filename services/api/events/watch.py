"""Who follows the feeds with one token: they are asked once for all its streams, and all are told."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from contextvars import Context

from services.api.events.feed import Feed, Told
from services.shared.problems import BadGateway, GatewayTimeout, ProblemError, Unavailable
from services.shared.tokens import AccessToken

KEPT = 500
"""Events of a feed that are kept for whoever is a little behind; who is further behind reads for themselves."""
TICK_S = 1.0
"""How often it is looked whether a token has expired."""
PAUSE_S = 1.0
"""Before a feed is asked again that was not waited for or could not be read."""

PASSING = (Unavailable, GatewayTimeout, BadGateway)
"""Problems that go by, and until then nothing is missed: it is still in the feed afterwards."""

logger = logging.getLogger(__name__)


class Channel:
    """The latest of one feed. ``position`` is how far it has been read."""

    def __init__(self, feed: Feed, position: int) -> None:
        self.feed = feed
        self.position = position
        self._latest: deque[Told] = deque()
        self._since = position

    def place(self, position: int | None) -> int | None:
        """Where somebody is who was told up to ``position``, or now if nothing; None if only the service can say."""
        if position is None:
            return self.position
        return position if self._since <= position <= self.position else None

    async def after(self, position: int) -> tuple[Sequence[Told], int]:
        """What is known to have come after a position, and where to go on. Raises ProblemError: as `Feed.after`."""
        if position < self._since:
            part = await self.feed.after(position)
            return part.events, part.position
        return [told for told in self._latest if told.position > position], max(position, self.position)

    async def read_on(self) -> None:
        """Wait for what comes next. Raises ProblemError: as `Feed.after`."""
        part = await self.feed.after(self.position, wait=True)
        self._latest.extend(part.events)
        while len(self._latest) > KEPT:
            self._since = self._latest.popleft().position
        self.position = part.position


class Watch:
    """The feeds that one token is good for. It is over when the token is, or a service no longer accepts it."""

    def __init__(self, caller: AccessToken, channels: Sequence[Channel]) -> None:
        self.channels = channels
        self.over = False
        self.streams = 0
        self._until = caller.expires_at
        self._bell = asyncio.Event()
        # In contexts of their own: what they do belongs to no request.
        loops = [self._tick(), *(self._follow(channel) for channel in channels)]
        self._tasks = [asyncio.create_task(loop, context=Context()) for loop in loops]

    @property
    def bell(self) -> asyncio.Event:
        """Rings once, when there is something new or the watch is over; take it before looking."""
        return self._bell

    def end(self) -> None:
        """No more of it."""
        self.over = True
        self._ring()

    async def close(self) -> None:
        """End, and stop asking."""
        self.end()
        for task in self._tasks:
            task.cancel()
        await asyncio.wait(self._tasks)

    def _ring(self) -> None:
        bell, self._bell = self._bell, asyncio.Event()
        bell.set()

    async def _tick(self) -> None:
        while time.time() < self._until:  # noqa: ASYNC110 - that clock is not asyncio's, and may be moved
            await asyncio.sleep(TICK_S)
        self.end()

    async def _follow(self, channel: Channel) -> None:
        now = asyncio.get_running_loop().time
        while not self.over:
            began, before = now(), channel.position
            try:
                await channel.read_on()
            except PASSING as problem:
                logger.info("the feed of %s cannot be read now: %s", channel.feed.name, problem.detail)
            except ProblemError as problem:
                logger.info("the feed of %s is over: %s", channel.feed.name, problem.detail)
                self.end()
            except Exception:
                logger.exception("following the feed of %s failed", channel.feed.name)
                self.end()
            if channel.position != before:
                self._ring()
            elif now() - began < PAUSE_S:  # a service that is to stop, or was only tried, does not wait
                await asyncio.sleep(PAUSE_S)


class Watches:
    """Those that somebody listens to, by token."""

    def __init__(self) -> None:
        self._watches: dict[str, Watch] = {}
        self._last: asyncio.Task[None] | None = None

    def until(self, leaving: asyncio.Event | None) -> Watches:
        """The same, which end with that: the web server is to stop, and waits for nobody."""
        if self._last is None and leaving is not None:
            self._last = asyncio.create_task(self._end_with(leaving), context=Context())
        return self

    def channels(self, caller: AccessToken) -> Mapping[str, Channel]:
        """What is followed with that token already, by feed."""
        watch = self._watches.get(caller.claims["jti"])
        return {} if watch is None or watch.over else {channel.feed.name: channel for channel in watch.channels}

    @asynccontextmanager
    async def joined(self, caller: AccessToken, feeds: Sequence[Feed], at: Mapping[str, int]) -> AsyncIterator[Watch]:
        """The watch of that caller; begun ``at`` these positions if nobody listens yet."""
        key = caller.claims["jti"]
        watch = self._watches.get(key)
        if watch is None or watch.over:
            watch = self._watches[key] = Watch(caller, [Channel(feed, at[feed.name]) for feed in feeds])
        watch.streams += 1
        try:
            yield watch
        finally:
            watch.streams -= 1
            if not watch.streams:
                if self._watches.get(key) is watch:
                    del self._watches[key]
                await watch.close()

    async def close(self) -> None:
        """End them all."""
        if self._last is not None:
            self._last.cancel()
        for watch in list(self._watches.values()):
            await watch.close()

    async def _end_with(self, leaving: asyncio.Event) -> None:
        await leaving.wait()
        for watch in list(self._watches.values()):
            watch.end()
