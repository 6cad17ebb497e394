"""FastMCP's client for tests that are not coroutines, and for those that are."""

from __future__ import annotations

import functools
import inspect
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import anyio.from_thread

if TYPE_CHECKING:
    from types import TracebackType

    import fastmcp
    from anyio.from_thread import BlockingPortal


class McpClient:
    """FastMCP's own client, whose coroutines are called like functions.

    ``client.call_tool("get_ticket", {"key": "ACME-1"})``, ``client.list_tools()`` and all its other methods connect
    when the first of them is called and stay connected. Inside a coroutine use ``async with client as connected:``,
    which gives FastMCP's client itself, on the event loop of the test.
    """

    def __init__(self, client: fastmcp.Client[Any]) -> None:
        self._client: Any = client
        self._opened = ExitStack()
        self._portal: BlockingPortal | None = None

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._client, name)
        if name.startswith("_") or not inspect.iscoroutinefunction(found):
            return found

        @functools.wraps(found)
        def call(*arguments: Any, **named: Any) -> Any:
            return self._connected().call(functools.partial(found, *arguments, **named))

        return call

    def _connected(self) -> BlockingPortal:
        if self._portal is None:
            # An event loop in a thread of its own: Playwright leaves one running in the main thread.
            portal = self._opened.enter_context(anyio.from_thread.start_blocking_portal())
            self._opened.enter_context(portal.wrap_async_context_manager(self._client))
            self._portal = portal
        return self._portal

    async def __aenter__(self) -> fastmcp.Client[Any]:
        entered: fastmcp.Client[Any] = await self._client.__aenter__()
        return entered

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.__aexit__(kind, error, trace)

    def close(self) -> None:
        """Hang up, if it was connected by a call."""
        self._opened.close()
        self._portal = None
