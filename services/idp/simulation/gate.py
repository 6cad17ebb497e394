"""Who may use the simulation API: whoever knows the secret of this run, on this machine, and no page in a browser."""

from __future__ import annotations

from dataclasses import dataclass
from secrets import compare_digest
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse

from services.idp.provider import Provider
from services.idp.urls import LOOPBACK

_OF_A_PAGE = ("origin", "sec-fetch-site")
"""Headers a browser adds for a page, which a script on it cannot leave out; other programs send neither."""


@dataclass(frozen=True, slots=True)
class Closed:
    """Why it is not for whoever asks."""

    status: int
    error: str
    description: str


def closed(request: Request) -> Closed | None:
    """What stands against the request; nothing of its body is read before that is known."""
    provider: Provider = request.scope["provider"]
    secret = provider.settings.simulation_secret.get_secret_value()
    if not secret:
        return Closed(404, "not_found", "there is no simulation API: SIMULATION_SECRET is not set")
    if _host(request) not in LOOPBACK:
        return Closed(421, "misdirected", "the Host header is not that of the loopback address")
    if any(name in request.headers for name in _OF_A_PAGE):
        return Closed(403, "forbidden", "the simulation API is not for pages in a browser")
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not compare_digest(given.encode(), secret.encode()):
        return Closed(401, "unauthorized", "send SIMULATION_SECRET of this run as a bearer token")
    return None


def refusal(closed: Closed) -> JSONResponse:
    """The answer that says so."""
    headers = {"WWW-Authenticate": "Bearer"} if closed.status == 401 else {}  # noqa: PLR2004
    return JSONResponse({"error": closed.error, "error_description": closed.description}, closed.status, headers)


def _host(request: Request) -> str | None:
    try:
        return urlsplit(f"//{request.headers.get('host', '')}").hostname
    except ValueError:
        return None
