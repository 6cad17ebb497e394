"""One MCP server, as one caller of the api sees it."""

from __future__ import annotations

import ssl
from collections.abc import AsyncGenerator
from typing import Any, TypeVar

import httpx2
from fastmcp.client import Client
from fastmcp.client.transports import StreamableHttpTransport
from mcp.shared.exceptions import MCPError
from mcp_types.version import LATEST_MODERN_VERSION
from pydantic import BaseModel, ValidationError

from services.api.exchange import TokenExchange
from services.shared.problems import (
    BadGateway,
    Conflict,
    Forbidden,
    InsufficientScope,
    Invalid,
    NotFound,
    Problem,
    ProblemError,
    Unavailable,
)
from services.shared.tokens import AccessToken

_TIMEOUT = 20.0
"""Seconds one call may take."""

_TRANSPORT_ERRORS = (MCPError, RuntimeError, httpx2.HTTPError)
"""What FastMCP's client raises when there is no tool result, whatever the reason."""

OutT = TypeVar("OutT", bound=BaseModel)

_DOMAIN_ERRORS: dict[str, type[ProblemError]] = {
    kind.code: kind for kind in (NotFound, Forbidden, InsufficientScope, Invalid, Conflict)
}


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
            request.headers["Authorization"] = f"Bearer {token}"
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


class McpServer:
    """Calls tools with the caller's own authority, and turns what goes wrong into problems."""

    def __init__(self, name: str, auth: OnBehalfOf, *, tls: ssl.SSLContext) -> None:
        """``tls`` is shared by all clients: to make one takes longer than a call."""
        self.name = name
        self._auth = auth
        self._tls = tls

    async def authorize(self) -> None:
        """Make sure of a token for the caller, where a refusal can still be answered properly.

        Raises:
            ProblemError: as `TokenExchange.token` does.
        """
        await self._auth.authorize()

    @property
    def broken(self) -> bool:
        """Whether the last exchange with the server failed below the level of tools; `failure` says how."""
        return self._auth.broken

    def client(self) -> Client[StreamableHttpTransport]:
        """A client that speaks as the caller. Open it in the task that uses it."""
        transport = StreamableHttpTransport(self._auth.audience, auth=self._auth, verify=self._tls)
        return Client(transport, mode=LATEST_MODERN_VERSION, timeout=_TIMEOUT)

    async def call(self, tool: str, arguments: dict[str, Any], returns: type[OutT]) -> OutT:
        """The structured result of a tool.

        Raises:
            ProblemError: the tool refused, with its own status and code; or the server did, or cannot be reached.
        """
        try:
            async with self.client() as client:
                result = await client.call_tool_mcp(tool, arguments)
        except _TRANSPORT_ERRORS as error:
            raise self.failure() from error
        if result.is_error:
            raise self._refusal(tool, result.structured_content)
        try:
            return returns.model_validate(result.structured_content)
        except ValidationError as error:
            raise BadGateway(f"The {self.name} service gave a result of {tool} that makes no sense.") from error

    async def tools(self) -> list[str]:
        """Names of the tools this caller may call.

        Raises:
            ProblemError: the server refused, or cannot be reached.
        """
        try:
            async with self.client() as client:
                return [tool.name for tool in await client.list_tools()]
        except _TRANSPORT_ERRORS as error:
            raise self.failure() from error

    def failure(self) -> ProblemError:
        """What an exchange with the server that broke off means for our caller."""
        auth = self._auth
        if auth.refusal:
            return auth.refusal
        if auth.status == httpx2.codes.FORBIDDEN:
            return InsufficientScope(
                f"The {self.name} service needs a scope the token does not have.",
                headers={"WWW-Authenticate": _scope_challenge(auth.challenge)},
            )
        if auth.status is None or auth.status >= httpx2.codes.INTERNAL_SERVER_ERROR:
            evidence = f"status {auth.status}" if auth.status else "no answer"
            return Unavailable(
                f"The {self.name} service cannot be reached now ({evidence}).", headers={"Retry-After": "1"}
            )
        return BadGateway(f"The {self.name} service gave an answer that makes no sense (status {auth.status}).")

    def _refusal(self, tool: str, content: dict[str, Any] | None) -> ProblemError:
        try:
            problem = Problem.model_validate(content)
            return _DOMAIN_ERRORS[problem.code](problem.detail)
        except (ValidationError, KeyError):
            return BadGateway(f"The {self.name} service could not carry out {tool}.")


def _scope_challenge(challenge: str) -> str:
    """The part of a downstream challenge that is true for our caller too: which scope is missing (RFC 6750 §3)."""
    scope = next((part for part in challenge.split(",") if part.strip().startswith(("scope=", "Bearer scope="))), "")
    return ", ".join(filter(None, ['Bearer error="insufficient_scope"', scope.strip().removeprefix("Bearer ")]))
