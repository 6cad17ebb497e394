"""What the feeds of changes of both servers have in common: how one is followed, and where it goes on."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Generic, Protocol, TypeVar

from anyio import to_thread
from fastmcp.server.dependencies import fastmcp_request_ctx, get_access_token
from pydantic import Field

from services.shared.news import News

LONGEST_WAIT_S = 20

After = Annotated[
    Annotated[int, Field(ge=0, le=2**53 - 1)] | None,
    Field(description="The position of the result before. Left out: where the feed ends now, and no changes."),
]
Mark = Annotated[
    Annotated[str, Field(pattern="^[a-z2-7]{16}$")] | None,
    Field(description="The mark of the result before: with it, a position of another feed is told from one of this."),
]
Wait = Annotated[
    int, Field(ge=0, le=LONGEST_WAIT_S, description="With nothing new, how many seconds to wait for something.")
]
Position = Annotated[
    int, Field(description="Pass it as after to go on; it also moves past what the caller may not see.")
]
Marked = Annotated[
    str, Field(description="Pass it as mark beside after. At an item's position it is the item's id, without chg_.")
]
More = Annotated[bool, Field(description="Whether there is more already.")]


class Page(Protocol):
    """A part of a feed."""

    @property
    def items(self) -> Sequence[object]:
        """Changes, the oldest first."""

    @property
    def position(self) -> int:
        """Where the next part begins."""

    @property
    def mark(self) -> str:
        """The mark of that position."""


AnyPage = TypeVar("AnyPage", bound=Page)


@dataclass(frozen=True, slots=True)
class Feed(Generic[AnyPage]):
    """A feed as one caller reads it."""

    read: Callable[[int | None, str | None], AnyPage]
    """What came after a position with that mark. It is called in a thread, and raises what the call is refused with."""
    news: News
    topic: str

    async def after(self, position: int | None, mark: str | None, *, wait_seconds: int) -> AnyPage:
        """What came after ``position`` (of that ``mark``); if nothing, what comes in so many seconds of real time.

        The wait also ends, with nothing, with the caller's token and when the server is to stop.
        """
        if position is None or not wait_seconds:
            return await to_thread.run_sync(self.read, position, mark)
        loop, leaving, page = asyncio.get_running_loop(), _leaving(), None
        ends_at = loop.time() + wait_seconds
        while True:
            with self.news.listening(self.topic, leaving=leaving) as listener:
                found = await self._read(position, mark, woken=page is not None)
                if page is not None and _token_lasts_s() <= 0:
                    return page  # what is news now is not for a token of the past
                page, position, mark = found, found.position, found.mark
                left = min(ends_at - loop.time(), _token_lasts_s())
                if page.items or left <= 0 or not await listener.within(left, read_up_to=page.position):
                    return page

    async def _read(self, position: int, mark: str | None, *, woken: bool) -> AnyPage:
        # A thousand who are woken at once go on a few at a time, and others come in between.
        return await to_thread.run_sync(self.read, position, mark, limiter=self.news.woken if woken else None)


def _token_lasts_s() -> float:
    token = get_access_token()
    if token is None:
        raise RuntimeError("a feed was read without authentication")
    return float(token.claims["exp"] - time.time())


def _leaving() -> asyncio.Event:
    """Set when the web server is to stop, where it says so in the state of its requests."""
    request = fastmcp_request_ctx.get()
    http = None if request is None else request.request
    never = asyncio.Event()
    leaving: asyncio.Event = never if http is None else http.scope.get("state", {}).get("leaving", never)
    return leaving
