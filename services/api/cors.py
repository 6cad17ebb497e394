"""Which web pages may call: those of the interface, and no other."""

from __future__ import annotations

from collections.abc import Callable

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send


def allow_origin(origin: str) -> Callable[[ASGIApp], ASGIApp]:
    """A CORS layer for one origin. Tokens travel in a header, so no cookies are allowed along."""

    def around(app: ASGIApp) -> ASGIApp:
        return CORSMiddleware(
            app,
            allow_origins=[origin],
            allow_methods=["GET", "POST"],
            allow_headers=["Authorization", "Content-Type"],
            expose_headers=["ETag", "Location", "Retry-After", "WWW-Authenticate"],
        )

    return around


class CorsFromSettings:
    """The layer Starlette builds with the routes, before any settings are read.

    The origin is a setting: so the real layer is made when the lifespan starts, and kept in ``app.state.cors``.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        layer: Callable[[ASGIApp], ASGIApp] = scope["app"].state.cors
        await layer(self._app)(scope, receive, send)
