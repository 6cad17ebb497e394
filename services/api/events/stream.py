"""A stream of events as it is sent: from where the reader was, until it ends or the reader does not read."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

from starlette.responses import StreamingResponse

from services.api import scopes
from services.api.events.feed import Feed, Part, Place
from services.api.events.watch import PASSING, Channel, Watch, Watches
from services.shared.problems import ProblemError
from services.shared.tokens import AccessToken

HEARTBEAT_S = 15.0
"""After so many seconds of silence a stream shows that it lives: others on the way close what is silent."""
RETRY_MS = 1000
"""How soon a client may come back."""
OPENING_S = 1.0
"""How long a stream that goes on waits for the services to know its place; then it begins all the same."""

_NOWHERE = "-"
"""In an event id, in place of a place: the reader had no part in that feed."""

_PLACE = r"([0-9]{1,15}-[a-z2-7]{16}|0|-)"
EVENT_ID = rf"^{_PLACE}\.{_PLACE}$"

logger = logging.getLogger(__name__)


@dataclass
class Bookmark:
    """How far somebody has read, by feed: it is the id of the event they were told last."""

    feeds: Sequence[str]
    places: dict[str, Place] = field(default_factory=dict)

    @classmethod
    def after(cls, event_id: str | None, feeds: Sequence[str]) -> Bookmark:
        """Where the event with that id left somebody; ``event_id`` matches EVENT_ID."""
        parts = event_id.split(".") if event_id is not None else ()
        named = zip(feeds, parts, strict=False)
        return cls(feeds, {name: _place(part) for name, part in named if part != _NOWHERE})

    @property
    def id(self) -> str:
        """The event id."""
        return ".".join(str(self.places.get(name, _NOWHERE)) for name in self.feeds)


def _place(part: str) -> Place:
    position, _, mark = part.partition("-")
    return Place(int(position), mark or None)


@dataclass(frozen=True)
class Follower:
    """A caller, the feeds their token is good for, and how far they have read."""

    caller: AccessToken
    feeds: Sequence[Feed]
    bookmark: Bookmark
    watches: Watches
    unsure: set[str] = field(default_factory=set)
    """Feeds whose service has not said yet that the reader's place is one in it."""

    @classmethod
    def of(cls, caller: AccessToken, feeds: Sequence[Feed], watches: Watches, *, last_event_id: str | None) -> Follower:
        """Somebody who is to go on after that event, or to begin now.

        Raises:
            InsufficientScope: the token is good for none of the feeds.
        """
        readable = [feed for feed in feeds if feed.scope in caller.scopes]
        if not readable:
            raise scopes.missing("Events need one of these scopes.", (feed.scope for feed in feeds))
        return cls(caller, readable, Bookmark.after(last_event_id, [feed.name for feed in feeds]), watches)

    async def past(self) -> AsyncIterator[bytes]:
        """What there is by now. A feed that can no longer be read later on is left where it is.

        Raises:
            NoSuchEvent: the event is one of another system or organization.
            ProblemError: a service refused, or cannot be reached.
        """
        begun = await self._asked(self.feeds)
        for name, part in begun.items():
            self.bookmark.places.setdefault(name, part.place)
        return self._past(begun)

    async def future(self) -> AsyncIterator[bytes]:
        """What there is by now, and what comes, until the token expires or is no longer accepted.

        Whoever goes on does not wait for a service that does not answer. If their event then turns out to be of another
        system, the stream ends, and they are told when they come back.

        Raises:
            NoSuchEvent: the event is one of another system or organization.
            ProblemError: a service refused; or there is no place to begin at, because it cannot be reached.
        """
        followed, ends = self.watches.channels(self.caller), dict[str, Place]()
        asked = [feed for feed in self.feeds if not self._placed(followed.get(feed.name))]
        anew = [feed for feed in asked if feed.name not in self.bookmark.places]
        on = [feed for feed in asked if feed not in anew]
        begun, known = await asyncio.gather(self._asked(anew), self._known(on))
        for name, part in (begun | known).items():
            self.bookmark.places.setdefault(name, part.place)
            if not part.more:
                ends[name] = part.place
        self.unsure.update(feed.name for feed in on if feed.name not in known)
        return self._future(ends)

    def _placed(self, channel: Channel | None) -> bool:
        """Whether a feed that is followed already tells where the reader is, so that the service need not be asked."""
        if channel is None or channel.end is None:
            return False
        return channel.knows(self.bookmark.places.setdefault(channel.feed.name, channel.end))

    async def _asked(self, feeds: Sequence[Feed]) -> dict[str, Part]:
        """The next part of each. Raises ProblemError: as `Feed.after`, of the first that fails."""
        parts = await asyncio.gather(*(feed.after(self.bookmark.places.get(feed.name)) for feed in feeds))
        return {feed.name: part for feed, part in zip(feeds, parts, strict=True)}

    async def _known(self, feeds: Sequence[Feed]) -> dict[str, Part]:
        """The same, of those that answer soon."""

        async def soon(feed: Feed) -> Part | None:
            try:
                async with asyncio.timeout(OPENING_S):
                    return await feed.after(self.bookmark.places[feed.name])
            except (TimeoutError, *PASSING):
                return None

        parts = await asyncio.gather(*map(soon, feeds))
        return {feed.name: part for feed, part in zip(feeds, parts, strict=True) if part is not None}

    async def _past(self, begun: dict[str, Part]) -> AsyncIterator[bytes]:
        yield self._opening()
        for feed in self.feeds:
            part = begun[feed.name]
            for piece in self._told(feed.name, part):
                yield piece
            while part.more:
                try:
                    part = await feed.after(part.place)
                except ProblemError as problem:
                    logger.info("the feed of %s cannot be read now: %s", feed.name, problem.detail)
                    break
                for piece in self._told(feed.name, part):
                    yield piece

    async def _future(self, ends: dict[str, Place]) -> AsyncIterator[bytes]:
        yield self._opening()
        async with self.watches.joined(self.caller, self.feeds, ends) as watch:
            while not watch.over:
                bell = watch.bell
                try:
                    async for piece in self._news(watch):
                        yield piece
                except ProblemError as problem:
                    logger.info("a stream cannot go on: %s", problem.detail)
                    return
                if bell.is_set():
                    continue
                try:
                    async with asyncio.timeout(HEARTBEAT_S):
                        await bell.wait()
                except TimeoutError:
                    yield b":\n\n"

    async def _news(self, watch: Watch) -> AsyncIterator[bytes]:
        for channel in watch.channels:
            name = channel.feed.name
            while self._behind(channel):
                try:
                    part = await self._next(channel)
                except (TimeoutError, *PASSING):
                    break  # the watch asks again, and rings
                self.unsure.discard(name)
                for piece in self._told(name, part):
                    yield piece

    async def _next(self, channel: Channel) -> Part:
        place = self.bookmark.places[channel.feed.name]
        if channel.feed.name not in self.unsure:
            return await channel.after(place)
        async with asyncio.timeout(OPENING_S):  # the other feed is not to wait for long
            return await channel.feed.after(place)

    def _behind(self, channel: Channel) -> bool:
        """Nothing is told of a feed that its service has not shown the end of: it would keep the other waiting."""
        name = channel.feed.name
        return channel.end is not None and (name in self.unsure or channel.ahead_of(self.bookmark.places[name]))

    def _told(self, name: str, part: Part) -> Sequence[bytes]:
        pieces = []
        for told in part.events:
            self.bookmark.places[name] = told.place
            pieces.append(f"id: {self.bookmark.id}\n".encode() + told.lines + b"\n")
        self.bookmark.places[name] = part.place
        return pieces

    def _opening(self) -> bytes:
        """Sent at once: the answer has begun, and whoever is cut off now knows where to go on."""
        return f"retry: {RETRY_MS}\nid: {self.bookmark.id}\n\n".encode()


class EventStream(StreamingResponse):
    """Server-sent events. Who does not read them is cut off by the server, and may go on where they were."""

    media_type = "text/event-stream"
