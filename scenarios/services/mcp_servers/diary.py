"""An MCP server with a feed that can be looked into: who waits for news of it, and with what."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Annotated

from fastmcp.dependencies import Depends

from services.shared.mcp.feed import After, Feed, Marked, More, Position, Wait
from services.shared.mcp.server import Deployment, ToolServer
from services.shared.mcp.tool import READ, desk, tool
from services.shared.mcp.view import View
from services.shared.news import News
from services.shared.permissions import Caller

TOPIC = "diary"


class PagesView(View):
    """What was written."""

    items: list[str]
    position: Position
    mark: Marked
    more: More


@dataclass
class Diary:
    """What was written, and who waits for more."""

    written: list[str] = field(default_factory=list)
    news: News = field(default_factory=News)

    def write(self, entry: str, *, told: bool = True) -> None:
        """Write, and tell those who wait, as a writer of this process does; another process does not."""
        self.written.append(entry)
        if told:
            self.news.tell([TOPIC])

    def read(self, after: int | None, _mark: str | None = None) -> PagesView:
        """What came after a position."""
        items = self.written[len(self.written) if after is None else after :]
        return PagesView(items=items, position=len(self.written), mark="", more=False)

    def ends(self, topics: Collection[str]) -> Mapping[str, int]:
        """Where it ends."""
        return dict.fromkeys(topics, len(self.written))


Desk = Annotated[Diary, Depends(desk)]


@tool(scope="tickets:read", hints=READ)
async def read_diary(desk: Desk, *, after: After = None, wait_seconds: Wait = 0) -> PagesView:
    """Read on."""
    return await Feed(desk.read, desk.news, TOPIC).after(after, None, wait_seconds=wait_seconds)


def server(diary: Diary, *, url: str, issuer: str) -> ToolServer:
    """The diary's server; it takes the tokens that are for ``url``."""

    def lend(_caller: Caller) -> Diary:
        return diary

    @asynccontextmanager
    async def deploy() -> AsyncIterator[Deployment]:
        async with diary.news.looking_out(diary.ends):
            yield Deployment(url=url, issuer=issuer, instance_nonce="", desk_for=lend)

    return ToolServer("diary", instructions="Days.", tools=[read_diary], first_scope="tickets:read", deploy=deploy)
