"""FastMCP's clients as the api uses them, and those it keeps: one for each caller and server."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import httpx2
from fastmcp.client import Client
from fastmcp.client.elicitation import ElicitResult
from fastmcp.client.transports import StreamableHttpTransport
from fastmcp.client.transports.base import SessionKwargs, TransportOptions
from mcp import ClientSession
from mcp_types import CallToolResult
from mcp_types.version import LATEST_MODERN_VERSION
from typing_extensions import Unpack

McpClient: TypeAlias = Client[StreamableHttpTransport]

MOST = 256
"""Clients that are kept; beyond that, those that have not been used for longest go."""

approved: ContextVar[bool] = ContextVar("approved", default=False)
"""Whether the call that is made in this context is what a person decided: then its question is answered with yes."""


class _Session(ClientSession):
    async def validate_tool_result(self, name: str, result: CallToolResult) -> None:
        """Leave it to `McpServer.call`, which reads the result into our own view.

        The SDK would list the tools after each call, check their schemas, and the result against its own: with the
        jsonschema package that takes 50 ms for a list of tickets.
        """


class _Transport(StreamableHttpTransport):
    @asynccontextmanager
    async def connect_session(
        self, *, transport_options: TransportOptions | None = None, **session_kwargs: Unpack[SessionKwargs]
    ) -> AsyncIterator[ClientSession]:
        options = replace(transport_options or TransportOptions(), session_class=_Session)
        async with super().connect_session(transport_options=options, **session_kwargs) as session:
            yield session


def make_client(url: str, way: httpx2.AsyncBaseTransport, *, timeout: float, answers_questions: bool) -> McpClient:
    """A client for the MCP server at ``url``, which sends by ``way``. ``timeout`` is in seconds, for one call.

    ``answers_questions``: it lets the server ask whether a call is meant, and says yes where `approved` is set.
    """

    def http_client(
        headers: dict[str, str] | None = None,
        timeout: httpx2.Timeout | None = None,
        auth: httpx2.Auth | None = None,
        **_: bool,
    ) -> httpx2.AsyncClient:
        return httpx2.AsyncClient(headers=headers, timeout=timeout, auth=auth, transport=way)

    return Client(
        _Transport(url, httpx_client_factory=http_client),
        mode=LATEST_MODERN_VERSION,
        timeout=timeout,
        elicitation_handler=_answer if answers_questions else None,
    )


async def _answer(_message: str, _form: type | None, _params: object, _context: object) -> ElicitResult[Any]:
    return (
        ElicitResult(action="accept", content={"confirm": True}) if approved.get() else ElicitResult(action="decline")
    )


@dataclass
class _Kept:
    client: McpClient
    until: float
    calls: int = 0

    def idle(self) -> bool:
        return self.calls == 0


class KeptClients:
    """Connected clients by a key that no two callers share."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], _Kept] = {}
        self._opening = asyncio.Lock()

    @asynccontextmanager
    async def client(
        self, key: tuple[str, str], *, until: float, make: Callable[[], McpClient]
    ) -> AsyncIterator[McpClient]:
        """The client of that key, kept until the time ``until`` (POSIX seconds); ``make`` makes it if there is none."""
        kept = self._kept.get(key)
        if kept is None or not kept.client.is_connected():
            async with self._opening:  # takes no network: the protocol version is known
                kept = await self._opened(key, until, make)
        kept.calls += 1
        self._kept[key] = self._kept.pop(key, kept)  # the last used is the last
        try:
            yield kept.client
        finally:
            kept.calls -= 1

    async def close(self) -> None:
        """Close them all."""
        while self._kept:
            await self._kept.popitem()[1].client.close()  # type: ignore[no-untyped-call]

    async def _opened(self, key: tuple[str, str], until: float, make: Callable[[], McpClient]) -> _Kept:
        kept = self._kept.get(key)
        if kept is None or not kept.client.is_connected():
            await self._make_room()
            kept = self._kept[key] = _Kept(make(), until)
            await kept.client.__aenter__()  # type: ignore[no-untyped-call]
        return kept

    async def _make_room(self) -> None:
        now = time.time()
        gone = [key for key, kept in self._kept.items() if kept.idle() and kept.until <= now]
        spare = [key for key, kept in self._kept.items() if kept.idle() and key not in gone]
        gone += spare[: max(0, len(self._kept) - len(gone) - MOST + 1)]
        for key in gone:
            await self._kept.pop(key).client.close()  # type: ignore[no-untyped-call]
