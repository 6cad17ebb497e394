"""Cross-origin reading: for origins of registered clients, at the endpoints a script needs, and never with cookies."""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.idp.provider import Provider
from services.idp.settings import LOOPBACK

_REGISTER = "/register"
_METHODS = {
    "/.well-known/openid-configuration": "GET",
    "/.well-known/oauth-authorization-server": "GET",
    "/jwks": "GET",
    "/token": "POST",
    "/par": "POST",
    "/device_authorization": "POST",
    "/revoke": "POST",
    "/userinfo": "GET, POST",
    _REGISTER: "POST",
}
"""Not the pages: a browser goes there by itself, and no script has a reason to look."""


class RegisteredOrigins:
    """``CORSMiddleware`` fixes its origins when the app is built; ours are known when it starts."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        methods = _METHODS.get(scope["path"]) if scope["type"] == "http" else None
        if methods is None:
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        granted = _granted(headers.get("origin"), scope["provider"], scope["path"])
        if scope["method"] == "OPTIONS" and "access-control-request-method" in headers:
            answer = PlainTextResponse(status_code=204) if granted else PlainTextResponse("unknown origin", 403)
            preflight = {
                "Access-Control-Allow-Methods": methods,
                "Access-Control-Allow-Headers": "Authorization, Content-Type, DPoP",
                "Access-Control-Max-Age": "600",
            }
            answer.headers.update(granted | (preflight if granted else {}) | {"Vary": "Origin"})
            await answer(scope, receive, send)
            return

        async def telling(message: Message) -> None:
            if message["type"] == "http.response.start":
                told = MutableHeaders(scope=message)
                told.update(granted)
                told.add_vary_header("Origin")
            await send(message)

        await self._app(scope, receive, telling)


def _granted(origin: str | None, provider: Provider, path: str) -> dict[str, str]:
    if origin is None or not (_registers(origin, path) or origin in provider.registry.origins):
        return {}
    return {"Access-Control-Allow-Origin": origin, "Access-Control-Expose-Headers": "WWW-Authenticate, DPoP-Nonce"}


def _registers(origin: str, path: str) -> bool:
    """A client has no origin here before it is known: whatever page of this machine may make itself known."""
    try:
        return path == _REGISTER and urlsplit(origin).hostname in LOOPBACK
    except ValueError:
        return False
