"""Who may use the simulation API: whoever knows the secret of this run, on this machine, and no page in a browser."""

from __future__ import annotations

from secrets import compare_digest
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends
from starlette.requests import Request

from services.idp.provider import Provider
from services.idp.settings import LOOPBACK

_OF_A_PAGE = ("origin", "sec-fetch-site")
"""Headers a browser adds for a page, which a script on it cannot leave out; other programs send neither."""


class Closed(Exception):  # noqa: N818 - says what is the case
    """Not for whoever asks."""

    def __init__(self, status: int, error: str, description: str) -> None:
        super().__init__(description)
        self.status, self.error, self.description = status, error, description


async def _open(request: Request) -> Provider:
    provider: Provider = request.scope["provider"]
    secret = provider.settings.simulation_secret.get_secret_value()
    if not secret:
        raise Closed(404, "not_found", "there is no simulation API: SIMULATION_SECRET is not set")
    if _host(request) not in LOOPBACK:
        raise Closed(421, "misdirected", "the Host header is not that of the loopback address")
    if any(name in request.headers for name in _OF_A_PAGE):
        raise Closed(403, "forbidden", "the simulation API is not for pages in a browser")
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not compare_digest(given.encode(), secret.encode()):
        raise Closed(401, "unauthorized", "send SIMULATION_SECRET of this run as a bearer token")
    return provider


def _host(request: Request) -> str | None:
    try:
        return urlsplit(f"//{request.headers.get('host', '')}").hostname
    except ValueError:
        return None


Opened = Annotated[Provider, Depends(_open)]
"""Parameter of an endpoint of the simulation API: the tenant that is asked."""
