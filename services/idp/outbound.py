"""Requests that this provider makes itself: to few hosts, and never to where an answer leads on."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable, Iterator
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import urlsplit

from services.idp.urls import LOOPBACK

if TYPE_CHECKING:
    import httpx

    from services.idp.outbound_transport import Resolve

Network: TypeAlias = IPv4Network | IPv6Network


class Outbound:
    """Make it when the service starts, and close it when the service ends."""

    def __init__(
        self, hosts: frozenset[str] = frozenset(), *, here: bool = True, resolve: Resolve | None = None
    ) -> None:
        """``hosts`` may be asked: names, which must lead to public addresses or to one of the networks that are listed
        among them (``10.0.0.0/8``). ``here``: this machine, too, which must not be when strangers are served.
        ``resolve`` stands in for the system's way to find out.
        """
        self._hosts, self._networks = hosts | (LOOPBACK if here else frozenset()), tuple(_networks(hosts))
        self._resolve = resolve
        self._client: httpx.AsyncClient | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def allows(self, url: str) -> bool:
        """Whether that is a place to ask, as it is written; where its name leads is seen when it is asked."""
        try:
            parts = urlsplit(url)
            known = self._knows(parts.hostname or "") and parts.port != 0
        except ValueError:
            return False
        return known and parts.scheme in ("http", "https") and "@" not in parts.netloc and "#" not in url

    def may_reach(self, host: str, address: str) -> bool:
        """Whether an address may be asked that a name leads to."""
        found = _address(address)
        if found is None:
            return False
        if host in LOOPBACK:
            return found.is_loopback
        return (found.is_global and not found.is_multicast) or any(found in network for network in self._networks)

    @property
    def client(self) -> httpx.AsyncClient:
        """It follows no redirects and no proxy settings and keeps no cookies; what it asks must be allowed first."""
        if self._client is None:
            from http import cookiejar  # noqa: PLC0415 - most providers never ask anybody, and start without these

            import httpx  # noqa: PLC0415

            from services.idp.outbound_transport import CheckedTransport, resolve  # noqa: PLC0415

            transport = CheckedTransport(self.may_reach, self._resolve or resolve)
            # Cookies know no ports: one that a program on this machine sets would be sent to all others.
            cookies = cookiejar.CookieJar(cookiejar.DefaultCookiePolicy(allowed_domains=()))
            self._client = httpx.AsyncClient(transport=transport, follow_redirects=False, cookies=cookies)
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

    def _knows(self, host: str) -> bool:
        address = _address(host)
        return host in self._hosts or (address is not None and any(address in network for network in self._networks))


def _networks(hosts: Iterable[str]) -> Iterator[Network]:
    """Those among the hosts that are addresses or networks."""
    for host in hosts:
        try:
            yield ip_network(host, strict=False)
        except ValueError:
            continue  # a name


def _address(text: str) -> IPv4Address | IPv6Address | None:
    """None for a name. One that only looks like IPv6 is what it stands for (RFC 4291 §2.5.5.2)."""
    try:
        found = ip_address(text)
    except ValueError:
        return None
    return (isinstance(found, IPv6Address) and found.ipv4_mapped) or found
