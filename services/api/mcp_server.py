"""One MCP server, as one caller of the api sees it."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, TypeVar

import httpx2
from fastmcp.client import Client
from fastmcp.client.transports import StreamableHttpTransport
from fastmcp.client.transports.base import SessionKwargs, TransportOptions
from mcp import ClientSession
from mcp.shared.exceptions import MCPError
from mcp_types import REQUEST_TIMEOUT, CallToolResult, Tool
from mcp_types.version import LATEST_MODERN_VERSION
from pydantic import BaseModel, ValidationError
from typing_extensions import Unpack

from services.api.on_behalf_of import OnBehalfOf
from services.shared.problems import (
    BadGateway,
    Conflict,
    Forbidden,
    GatewayTimeout,
    InsufficientScope,
    Invalid,
    NotFound,
    Problem,
    ProblemError,
    Unavailable,
)

_TIMEOUT = 10.0
"""Seconds one call may take."""

_TRANSPORT_ERRORS = (MCPError, RuntimeError, httpx2.HTTPError)
"""What FastMCP's client raises when there is no tool result, whatever the reason."""

OutT = TypeVar("OutT", bound=BaseModel)

_DOMAIN_ERRORS: dict[str, type[ProblemError]] = {
    kind.code: kind for kind in (NotFound, Forbidden, InsufficientScope, Invalid, Conflict)
}


class _Session(ClientSession):
    async def validate_tool_result(self, name: str, result: CallToolResult) -> None:
        """Leave it to `McpServer.call`, which reads the result into our own view.

        The SDK would list the tools after each call, check their schemas, and the result against its own: with the
        jsonschema package that takes 50 ms for a list of tickets.
        """


class _Transport(StreamableHttpTransport):
    @asynccontextmanager
    async def connect_session(
        self, *, transport_options: TransportOptions | None = None, **session_kwargs: Unpack[SessionKwargs]
    ) -> AsyncIterator[ClientSession]:
        options = replace(transport_options or TransportOptions(), session_class=_Session)
        async with super().connect_session(transport_options=options, **session_kwargs) as session:
            yield session


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
        transport = _Transport(self._auth.audience, auth=self._auth, verify=self._tls)
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
            raise self.failure(error) from error
        if result.is_error:
            raise self._refusal(tool, result)
        try:
            return returns.model_validate(result.structured_content)
        except ValidationError as error:
            raise BadGateway(f"The {self.name} service gave a result of {tool} that makes no sense.") from error

    async def tools(self) -> list[Tool]:
        """The tools of the server.

        Raises:
            ProblemError: the server refused, or cannot be reached.
        """
        try:
            async with self.client() as client:
                return list(await client.list_tools())
        except _TRANSPORT_ERRORS as error:
            raise self.failure(error) from error

    def failure(self, error: Exception) -> ProblemError:
        """What ``error``, raised by the client instead of a result, means for our caller."""
        auth = self._auth
        if auth.refusal:
            return auth.refusal
        if auth.status == httpx2.codes.FORBIDDEN:
            return InsufficientScope(
                f"The {self.name} service needs a scope the token does not have.",
                headers={"WWW-Authenticate": _scope_challenge(auth.challenge)},
            )
        if isinstance(error, MCPError) and error.code == REQUEST_TIMEOUT:
            return GatewayTimeout(f"The {self.name} service did not answer within {_TIMEOUT:g} seconds.")
        if auth.status is None or auth.status >= httpx2.codes.INTERNAL_SERVER_ERROR:
            evidence = f"status {auth.status}" if auth.status else "no answer"
            return Unavailable(f"The {self.name} service cannot be reached now ({evidence}).")
        return BadGateway(f"The {self.name} service gave an answer that makes no sense (status {auth.status}).")

    def _refusal(self, tool: str, result: CallToolResult) -> ProblemError:
        try:
            problem = Problem.model_validate(result.structured_content)
            return _DOMAIN_ERRORS[problem.code](problem.detail, errors=problem.errors)
        except (ValidationError, KeyError):
            return BadGateway(f"The {self.name} service could not carry out {tool}.")


def _scope_challenge(challenge: str) -> str:
    """The part of a downstream challenge that is true for our caller too: which scope is missing (RFC 6750 §3)."""
    scope = next((part for part in challenge.split(",") if part.strip().startswith(("scope=", "Bearer scope="))), "")
    return ", ".join(filter(None, ['Bearer error="insufficient_scope"', scope.strip().removeprefix("Bearer ")]))
