"""How requests of our own find their way: a name is resolved once, and only addresses that were looked at are asked.

It is imported when the first such request is made: most providers never ask anybody.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable

import httpx

from services.idp.urls import DEFAULT_PORTS

MayReach = Callable[[str, str], bool]
"""Whether an address may be asked that a name leads to: name, address."""

Resolve = Callable[[str, int], Awaitable[list[str]]]


class AddressRefused(httpx.ConnectError):
    """A name leads to an address that may not be asked."""


class CheckedTransport(httpx.AsyncHTTPTransport):
    """What a name leads to a moment later (DNS rebinding) makes no difference."""

    def __init__(self, may_reach: MayReach, resolve: Resolve) -> None:
        self._may_reach, self._resolve = may_reach, resolve
        # A connection is known by its address: kept open, it would be handed to another name without a new handshake.
        limits = httpx.Limits(max_connections=100, max_keepalive_connections=0)
        super().__init__(verify=ssl.create_default_context(), trust_env=False, limits=limits)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """As the name asks for it, whatever the address."""
        failed = httpx.ConnectError(f"{request.url.host} leads nowhere")
        for address in await self._addresses(request.url):
            try:
                return await super().handle_async_request(_at(address, request))
            except httpx.ConnectError as error:
                failed = error
        raise failed

    async def _addresses(self, url: httpx.URL) -> list[str]:
        """All there are. One that may not be asked spoils the name: it is not the owner's of a public one."""
        try:
            found = await self._resolve(url.host, url.port or DEFAULT_PORTS[url.scheme])
        except (OSError, UnicodeError) as error:
            raise httpx.ConnectError(f"{url.host} cannot be resolved") from error
        if not all(self._may_reach(url.host, address) for address in found):
            raise AddressRefused(f"{url.host} leads to an address that may not be asked")
        return found


async def resolve(host: str, port: int) -> list[str]:
    """What the system knows of a name, each address once."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(each[4][0]) for each in found))


def _at(address: str, request: httpx.Request) -> httpx.Request:
    """The request at an address; ``Host`` and the certificate are still those of the name."""
    return httpx.Request(
        request.method,
        request.url.copy_with(host=address),
        headers=request.headers,
        stream=request.stream,
        extensions={**request.extensions, "sni_hostname": request.url.host},
    )
