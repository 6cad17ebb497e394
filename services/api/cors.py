"""Which web pages may call: those of the interface, and no other."""

from __future__ import annotations

from collections.abc import Callable

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from services.shared.problems import ProblemError


class PreflightRefused(ProblemError):  # noqa: N818 - named like the other problems
    """A page may not send what its browser asks about (Fetch §4.8); the code is for whoever reads it by hand."""

    status, code, says = 400, "preflight_refused", "Pages of that origin may not send this."


class _Cors(CORSMiddleware):
    def preflight_response(self, request_headers: Headers) -> Response:
        response = super().preflight_response(request_headers)
        if response.status_code == PreflightRefused.status:
            told = {name: value for name, value in response.headers.items() if not name.startswith("content-")}
            return PreflightRefused(f"{bytes(response.body).decode()}.", headers=told).response()
        return response


_SENT = ("If-Match", "If-None-Match", "Idempotency-Key", "Last-Event-ID", "traceparent", "tracestate")
"""Headers of requests, besides the usual ones."""


def allow_origin(origin: str) -> Callable[[ASGIApp], ASGIApp]:
    """A CORS layer for one origin. Tokens travel in a header, so no cookies are allowed along."""

    def around(app: ASGIApp) -> ASGIApp:
        return _Cors(
            app,
            allow_origins=[origin],
            allow_methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
            allow_headers=["Authorization", "Content-Type", *_SENT],
            expose_headers=["ETag", "Link", "Location", "Retry-After", "WWW-Authenticate"],
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
