"""How the api authenticates at an MCP server: with a token exchanged for the caller's, never with the caller's own."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import httpx2

from services.api import trace
from services.api.exchange import TokenExchange
from services.shared.problems import ProblemError
from services.shared.tokens import AccessToken


class OnBehalfOf(httpx2.Auth):
    """Sends the caller's exchanged token, and remembers the answer's status: MCP clients lose it on the way up."""

    def __init__(self, exchange: TokenExchange, caller: AccessToken, audience: str) -> None:
        self._exchange = exchange
        self._caller = caller
        self.audience = audience
        self.asked = False
        self.status: int | None = None
        """Of the last answer; None if there was none."""
        self.challenge: str = ""
        """Its ``WWW-Authenticate``."""
        self.refusal: ProblemError | None = None
        """Why no token could be had."""

    async def async_auth_flow(self, request: httpx2.Request) -> AsyncGenerator[httpx2.Request, httpx2.Response]:
        """Send the request; if its token is refused, exchange anew and send it once more."""
        for renewed in (False, True):
            self.asked, self.status, self.challenge = True, None, ""
            try:
                token = await self._exchange.token(self._caller, self.audience)
            except ProblemError as refusal:
                # An exception here would reach the caller as a broken connection, in an exception group.
                self.refusal = refusal
                return
            request.headers.update({"Authorization": f"Bearer {token}", **trace.headers()})
            response = yield request
            self.status, self.challenge = response.status_code, response.headers.get("WWW-Authenticate", "")
            if response.status_code != httpx2.codes.UNAUTHORIZED or renewed:
                return
            self._exchange.forget(self._caller, self.audience)

    @property
    def broken(self) -> bool:
        """Whether the last request did not end well."""
        return self.asked and (
            self.refusal is not None or self.status is None or self.status >= httpx2.codes.BAD_REQUEST
        )

    async def authorize(self) -> None:
        """Get the token now."""
        await self._exchange.token(self._caller, self.audience)
