"""Who follows the feeds with one token: they are asked once for all its streams, and all are told."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from contextvars import Context

from services.api.events.feed import Feed, Part, Place, Told
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
    """The latest of one feed, from where it ended when the first came. ``end`` is how far it has been read.

    It begins nowhere else: no reader is taken at their word of where the feed is.
    """

    def __init__(self, feed: Feed, end: Place | None = None) -> None:
        """``end`` is where the service said that the feed ends; without it the service is asked first."""
        self.feed = feed
        self.end = end
        self._latest: deque[Told] = deque()
        self._since = end

    def ahead_of(self, place: Place) -> bool:
        """Whether there is something to be told to somebody who has read so far."""
        return self.end is not None and place.position < self.end.position

    def knows(self, place: Place) -> bool:
        """Whether that is a place in this feed, for all that was read; of others only the service can say."""
        return place in (self._since, self.end) or any(told.place == place for told in self._latest)

    async def after(self, place: Place) -> Part:
        """What is known to have come after a place. Raises ProblemError: as `Feed.after`."""
        if self.end is None or self._since is None or place.position < self._since.position:
            return await self.feed.after(place)
        later = [told for told in self._latest if told.place.position > place.position]
        return Part(later, self.end if self.ahead_of(place) else place, more=False)

    async def read_on(self) -> None:
        """Wait for what comes next. Raises ProblemError: as `Feed.after`."""
        if self.end is None:
            self.end = self._since = (await self.feed.after(None)).place
            return
        part = await self.feed.after(self.end, wait=True)
        self._latest.extend(part.events)
        while len(self._latest) > KEPT:
            self._since = self._latest.popleft().place
        self.end = part.place


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
            began, before = now(), channel.end
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
            if channel.end != before:
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
    async def joined(
        self, caller: AccessToken, feeds: Sequence[Feed], ends: Mapping[str, Place]
    ) -> AsyncIterator[Watch]:
        """The watch of that caller; if nobody listens yet, begun at the ``ends`` of feeds that are known."""
        key = caller.claims["jti"]
        watch = self._watches.get(key)
        if watch is None or watch.over:
            watch = self._watches[key] = Watch(caller, [Channel(feed, ends.get(feed.name)) for feed in feeds])
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
