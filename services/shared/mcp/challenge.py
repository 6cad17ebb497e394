"""The step-up challenge: 403 ``insufficient_scope`` before anything runs, in every protocol era.

FastMCP can only hide what scopes are missing for; MCP's authorization chapter wants the answer of RFC 6750 §3.1,
with the scopes to ask for, so that a client can get a better token and try again.
"""

from __future__ import annotations

from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
from mcp_types import INVALID_REQUEST, PARSE_ERROR
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.shared import bodies, strict_json
from services.shared.mcp.surface import Needs
from services.shared.problems import TooLarge

LARGEST_BODY = 1024 * 1024
"""Bytes. The largest valid call, a ticket with all it may hold, has a tenth of it."""


class ScopeChallenge:
    """Reads each message once, before FastMCP does, and refuses what the token has no scopes for.

    It looks at the body and not at the ``Mcp-Name`` header of 2026-07-28: only the body is what will run.
    """

    def __init__(self, app: ASGIApp, *, needs: Needs, metadata_url: str) -> None:
        self.app = app
        self._needs = needs
        self._metadata_url = metadata_url

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on what carries no message, and what has no valid token: that is answered with 401 further in."""
        if scope["type"] != "http" or scope["method"] != "POST" or not isinstance(scope.get("user"), AuthenticatedUser):
            await self.app(scope, receive, send)
            return
        try:
            body = await _read(Request(scope, receive))
        except ClientDisconnect:
            return
        except TooLarge as error:
            await error.response()(scope, receive, send)
            return
        refusal = self._refusal(body, frozenset(scope["user"].scopes))
        if refusal is None:
            await self.app(scope, _replayed(body, receive), send)
        else:
            await refusal(scope, receive, send)

    def _refusal(self, body: bytes, granted: frozenset[str]) -> Response | None:
        try:
            message = strict_json.loads(body)
        except ValueError as error:
            # Further in, two parsers read leniently and not alike; what they could disagree about ends here.
            return _protocol_error(PARSE_ERROR, f"Parse error: {error}")
        if not isinstance(message, dict):
            return _protocol_error(INVALID_REQUEST, "The body must be a single JSON-RPC message.")
        what, needed = self._needs.of(message)
        return None if needed <= granted else self._insufficient(what, needed)

    def _insufficient(self, what: str, needed: frozenset[str]) -> Response:
        scope = " ".join(sorted(needed))
        description = f"{what} needs {scope}"
        challenge = (
            f'Bearer error="insufficient_scope", error_description="{description}", '
            f'scope="{scope}", resource_metadata="{self._metadata_url}"'
        )
        body = {"error": "insufficient_scope", "error_description": description}
        return JSONResponse(body, 403, headers={"WWW-Authenticate": challenge})


async def _read(request: Request) -> bytes:
    try:
        return await bodies.read(request, longest=LARGEST_BODY)
    except bodies.TooLong:
        raise TooLarge(f"The body has more than {LARGEST_BODY} bytes.", headers={"Connection": "close"}) from None


def _protocol_error(code: int, message: str) -> Response:
    return JSONResponse({"jsonrpc": "2.0", "id": None, "error": {"code": code, "message": message}}, 400)


def _replayed(body: bytes, receive: Receive) -> Receive:
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return messages.pop() if messages else await receive()

    return replay
