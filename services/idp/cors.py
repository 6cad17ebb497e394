"""Cross-origin reading: for origins of registered clients, at the endpoints a script needs, and never with cookies."""

from __future__ import annotations

import re
from collections.abc import Mapping

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.idp.provider import Provider

_THIS_MACHINE = re.compile(r"https?://(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?")
_REGISTER = "/register"
_BEFORE_REGISTRATION = {
    "/.well-known/openid-configuration": "GET",
    "/.well-known/oauth-authorization-server": "GET",
    _REGISTER: "POST",
}
"""What a client needs before it is known."""

_METHODS = _BEFORE_REGISTRATION | {
    "/jwks": "GET",
    "/token": "POST",
    "/par": "POST",
    "/device_authorization": "POST",
    "/revoke": "POST",
    "/userinfo": "GET, POST",
}
"""Not the pages: a browser goes there by itself, and no script has a reason to look."""


class RegisteredOrigins:
    """``CORSMiddleware`` fixes its origins when the app is built; ours are known when it starts."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        methods = _methods(scope["path"]) if scope["type"] == "http" else None
        if methods is None:
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        granted = _granted(headers.get("origin"), scope["provider"], scope["path"])
        if scope["method"] == "OPTIONS" and "access-control-request-method" in headers:
            answer = PlainTextResponse(status_code=204) if granted else PlainTextResponse("unknown origin", 403)
            preflight = {
                "Access-Control-Allow-Methods": methods,
                "Access-Control-Allow-Headers": "Authorization, Content-Type, DPoP, MCP-Protocol-Version",
                "Access-Control-Max-Age": "600",
            }
            answer.headers.update(granted | (preflight if granted else {}) | {"Vary": "Origin"})
            await answer(scope, receive, send)
            return

        told = _told(granted)

        async def telling(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *told]
            await send(message)

        await self._app(scope, receive, telling)


def told(origin: str | None, provider: Provider, path: str) -> list[tuple[bytes, bytes]]:
    """What an answer says besides, so that a script of that origin may read it, or none."""
    return _told(_granted(origin, provider, path))


def _told(granted: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    return [*((name.lower().encode(), value.encode()) for name, value in granted.items()), (b"vary", b"Origin")]


def _granted(origin: str | None, provider: Provider, path: str) -> dict[str, str]:
    if origin is None or not (_may_register(origin, path) or origin in provider.registry.origins):
        return {}
    return {"Access-Control-Allow-Origin": origin, "Access-Control-Expose-Headers": "WWW-Authenticate, DPoP-Nonce"}


def _methods(path: str) -> str | None:
    """None: no script may look."""
    # The metadata of a tenant may be asked for with its path behind (RFC 8414 §3.1).
    found = _METHODS.get(path.partition("/t/")[0] if path.startswith("/.well-known/") else path)
    # Each registration has an address of its own; whose it is the token says.
    return "GET, PUT, DELETE" if found is None and path.startswith(f"{_REGISTER}/") else found


def _may_register(origin: str, path: str) -> bool:
    """A client has no origin here before it is known: whatever page of this machine may make itself known."""
    needed = path in _BEFORE_REGISTRATION or path.startswith("/.well-known/")
    return needed and _THIS_MACHINE.fullmatch(origin) is not None
