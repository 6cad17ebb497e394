"""A stream of events as it is sent: from where the reader was, until it ends or the reader does not read."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

from starlette.responses import StreamingResponse

from services.api import scopes
from services.api.events.feed import Feed, Told
from services.api.events.watch import PASSING, Watch, Watches
from services.shared.problems import ProblemError
from services.shared.tokens import AccessToken

HEARTBEAT_S = 15.0
"""After so many seconds of silence a stream shows that it lives: others on the way close what is silent."""
RETRY_MS = 1000
"""How soon a client may come back."""

_NOWHERE = "-"
"""In an event id, in place of a position: the reader had no part in that feed."""

EVENT_ID = r"^([0-9]{1,15}|-)\.([0-9]{1,15}|-)$"

logger = logging.getLogger(__name__)


@dataclass
class Place:
    """How far somebody has read, by feed: it is the id of the event they were told last."""

    feeds: Sequence[str]
    positions: dict[str, int] = field(default_factory=dict)

    @classmethod
    def after(cls, event_id: str | None, feeds: Sequence[str]) -> Place:
        """Where the event with that id left somebody; ``event_id`` matches EVENT_ID."""
        found = re.fullmatch(EVENT_ID, event_id) if event_id is not None else None
        parts = found.groups() if found else ()
        named = dict(zip(feeds, parts, strict=False))
        return cls(feeds, {name: int(part) for name, part in named.items() if part != _NOWHERE})

    @property
    def id(self) -> str:
        """The event id."""
        return ".".join(str(self.positions.get(name, _NOWHERE)) for name in self.feeds)


@dataclass(frozen=True)
class Follower:
    """A caller, the feeds their token is good for, and how far they have read."""

    caller: AccessToken
    feeds: Sequence[Feed]
    place: Place
    watches: Watches

    @classmethod
    async def begin(
        cls, caller: AccessToken, feeds: Sequence[Feed], watches: Watches, *, last_event_id: str | None
    ) -> Follower:
        """Go on after that event, or begin now.

        Raises:
            InsufficientScope: the token is good for none of the feeds.
            Conflict: the event is one of another system.
            ProblemError: a service refused; or there is no place to begin at, because it cannot be reached.
        """
        place = Place.after(last_event_id, [feed.name for feed in feeds])
        readable = [feed for feed in feeds if feed.scope in caller.scopes]
        if not readable:
            raise scopes.missing("Events need one of these scopes.", (feed.scope for feed in feeds))
        followed = watches.channels(caller)
        for feed in readable:
            at = place.positions.get(feed.name)
            if feed.name in followed and (known := followed[feed.name].place(at)) is not None:
                place.positions[feed.name] = known
                continue
            try:
                part = await feed.after(at)
            except PASSING:
                if at is None:
                    raise
            else:
                place.positions.setdefault(feed.name, part.position)
        return cls(caller, readable, place, watches)

    async def past(self) -> AsyncIterator[bytes]:
        """What there is by now. Raises nothing: a feed that cannot be read now is left where it is."""
        yield self._opening()
        for feed in self.feeds:
            more = True
            while more:
                try:
                    part = await feed.after(self.place.positions[feed.name])
                except ProblemError as problem:
                    logger.info("the feed of %s cannot be read now: %s", feed.name, problem.detail)
                    break
                for piece in self._told(feed.name, part.events, part.position):
                    yield piece
                more = part.more

    async def future(self) -> AsyncIterator[bytes]:
        """What there is by now, and what comes, until the token expires or is no longer accepted."""
        yield self._opening()
        async with self.watches.joined(self.caller, self.feeds, self.place.positions) as watch:
            while not watch.over:
                bell = watch.bell
                async for piece in self._news(watch):
                    yield piece
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
            while self.place.positions[name] < channel.position:
                try:
                    events, position = await channel.after(self.place.positions[name])
                except PASSING:
                    break  # the watch asks again, and rings
                except ProblemError:
                    watch.end()
                    return
                for piece in self._told(name, events, position):
                    yield piece

    def _told(self, name: str, events: Sequence[Told], position: int) -> Sequence[bytes]:
        pieces = []
        for told in events:
            self.place.positions[name] = told.position
            pieces.append(f"id: {self.place.id}\n".encode() + told.lines + b"\n")
        self.place.positions[name] = position
        return pieces

    def _opening(self) -> bytes:
        """Sent at once: the answer has begun, and whoever is cut off now knows where to go on."""
        return f"retry: {RETRY_MS}\nid: {self.place.id}\n\n".encode()


class EventStream(StreamingResponse):
    """Server-sent events. Who does not read them is cut off by the server, and may go on where they were."""

    media_type = "text/event-stream"
