"""What every answer tells whoever keeps or shows it: nothing but a program may read it, and nobody keeps it."""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

SECURITY = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}
"""Sent with every answer."""

NOTHING = "default-src 'none'; frame-ancestors 'none'"
"""The policy of what is no page (CSP 3)."""

ASK_AGAIN = "private, no-cache"
"""For what has a version: a browser may keep it, and asks each time whether it is still the same."""

NEVER = "no-store"
"""For all else: answers hold what one person may see, under addresses that are the same for everybody."""


class SafeHeaders:
    """Adds them where the answer does not say otherwise itself."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def completing(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(SECURITY)
                headers.setdefault("Content-Security-Policy", NOTHING)
                headers.setdefault("Cache-Control", NEVER)
            await send(message)

        await self._app(scope, receive, completing if scope["type"] == "http" else send)
