"""One request, one credential: who brings two may mean either, and a proxy may have read the other (RFC 6750 §3.1)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from services.shared.problems import ProblemError

_SAID = 'Bearer error="invalid_request", error_description="the Authorization header is given more than once"'


class AmbiguousCredentials(ProblemError):  # noqa: N818 - named like the other problems
    """400 ``invalid_request``."""

    status, code, says = 400, "invalid_request", "The Authorization header is given more than once."
    usual_headers: ClassVar[Mapping[str, str]] = {"WWW-Authenticate": _SAID}


def check_single(headers: Headers) -> None:
    """Refuse a request with several Authorization headers. Raises AmbiguousCredentials."""
    if len(headers.getlist("authorization")) > 1:
        raise AmbiguousCredentials(AmbiguousCredentials.says)


class SingleCredential:
    """The same as a middleware, for apps that read the header themselves."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            if scope["type"] == "http":
                check_single(Headers(scope=scope))
        except AmbiguousCredentials as error:
            await error.response()(scope, receive, send)
            return
        await self._app(scope, receive, send)
