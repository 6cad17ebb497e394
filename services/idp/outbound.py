"""Requests that this provider makes itself: to few hosts, and never to where an answer leads on."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from services.idp.settings import LOOPBACK

if TYPE_CHECKING:
    import httpx


class Outbound:
    """Make it when the service starts, and close it when the service ends."""

    def __init__(self, hosts: frozenset[str] = frozenset()) -> None:
        """``hosts`` may be asked besides this machine."""
        self._hosts = LOOPBACK | hosts
        self._client: httpx.AsyncClient | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def allows(self, url: str) -> bool:
        """Whether that is a place to ask. A name is taken as it stands: what it resolves to is up to who allowed it."""
        try:
            parts = urlsplit(url)
            known = parts.hostname in self._hosts and parts.port != 0
        except ValueError:
            return False
        return known and parts.scheme in ("http", "https") and "@" not in parts.netloc and "#" not in url

    @property
    def client(self) -> httpx.AsyncClient:
        """It follows no redirects and no proxy settings and keeps no cookies; what it asks must be allowed first."""
        if self._client is None:
            from http import cookiejar  # noqa: PLC0415 - most providers never ask anybody, and start without these

            import httpx  # noqa: PLC0415

            # Cookies know no ports: one that a program on this machine sets would be sent to all others.
            cookies = cookiejar.CookieJar(cookiejar.DefaultCookiePolicy(allowed_domains=()))
            self._client = httpx.AsyncClient(follow_redirects=False, trust_env=False, cookies=cookies)
        return self._client

    def begin(self, work: Coroutine[None, None, None]) -> None:
        """Do something in the background, at most until the service ends."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def finish(self) -> None:
        """Wait until nothing is left to do in the background."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def close(self) -> None:
        """Give up what is under way."""
        for task in self._tasks:
            task.cancel()
        await self.finish()
        if self._client is not None:
            await self._client.aclose()
