"""One MCP server, as one caller of the api sees it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import KW_ONLY, dataclass, field
from functools import partial
from typing import Any, TypeVar
from uuid import uuid4

import anyio
import httpx2
from mcp.shared.exceptions import MCPError
from mcp_types import REQUEST_TIMEOUT, Tool
from pydantic import BaseModel, ValidationError

from services.api import refusals
from services.api.circuit import Circuit
from services.api.exchange import TokenExchange
from services.api.idempotency import UnderWay
from services.api.mcp_client import KeptClients, McpClient, approved, make_client
from services.api.on_behalf_of import OnBehalfOf, Outcome, observed
from services.shared.problems import BadGateway, GatewayTimeout, ProblemError, Unavailable
from services.shared.tokens import AccessToken

TIMEOUT_S = 10.0
"""Seconds one call may take."""

PAUSES_S = (0.05, 0.25)
"""Seconds before each further attempt at a call that may be sent again; a service restarts in about that time."""

_TRANSPORT_ERRORS = (MCPError, RuntimeError, httpx2.HTTPError)
"""What FastMCP's client raises when there is no tool result, whatever the reason."""

OutT = TypeVar("OutT", bound=BaseModel)
T = TypeVar("T")


@dataclass(frozen=True)
class Downstream:
    """An MCP server as the api knows it, whoever calls."""

    name: str
    audience: str
    exchange: TokenExchange
    clients: KeptClients
    circuit: Circuit
    _: KW_ONLY
    network: httpx2.AsyncBaseTransport
    timeout: float = TIMEOUT_S
    under_way: UnderWay = field(default_factory=UnderWay)


class McpServer:
    """Calls tools with the caller's own authority, and turns what goes wrong into problems."""

    def __init__(self, server: Downstream, caller: AccessToken) -> None:
        self._server = server
        self._caller = caller
        self._way = OnBehalfOf(server.network, server.exchange, caller, server.audience)

    @property
    def name(self) -> str:
        """Which one it is."""
        return self._server.name

    async def authorize(self) -> None:
        """Make sure of a token for the caller, where a refusal can still be answered properly.

        Raises:
            ProblemError: as `TokenExchange.token` does.
        """
        await self._server.exchange.token(self._caller, self._server.audience)

    @property
    def broken(self) -> bool:
        """Whether the last exchange of `client` failed below the level of tools; `failure` says how."""
        return self._way.outcome.broken

    @property
    def doubtful(self) -> bool:
        """Whether the server has not answered for a while: what is sent now is a trial, for which others wait."""
        return self._server.circuit.open

    def client(self) -> McpClient:
        """A client of its own, which asks nobody. Open it in the task that uses it."""
        server = self._server
        return make_client(server.audience, self._way, timeout=server.timeout, answers_questions=False)

    async def read(self, tool: str, arguments: Mapping[str, Any], returns: type[OutT]) -> OutT:
        """The structured result of a tool that changes nothing.

        Raises:
            ProblemError: the tool refused, with its own status and code; or the server did, or cannot be reached.
        """
        return await self._call(tool, arguments, returns, repeatable=True)

    async def create(self, tool: str, arguments: Mapping[str, Any], returns: type[OutT], *, key: str | None) -> OutT:
        """The same of a tool that takes an idempotency key: the caller's ``key``, or one for this call alone.

        Raises:
            InFlight: the caller's request with that key is under way.
            ProblemError: as `read` does.
        """
        if key is None:
            return await self._call(tool, {**arguments, "idempotency_key": str(uuid4())}, returns, repeatable=True)
        with self._server.under_way.begun(self._caller.org_id, self._caller.subject, tool, key):
            return await self._call(tool, {**arguments, "idempotency_key": key}, returns, repeatable=True)

    async def change(
        self,
        tool: str,
        arguments: Mapping[str, Any],
        returns: type[OutT],
        *,
        repeatable: bool = False,
        meant: bool = False,
    ) -> OutT:
        """The same of a tool that changes something.

        ``repeatable``: to call it twice does no more than to call it once, so it is tried again if there is no answer.
        ``meant``: a person has decided just this, and the server's question about it is answered so.

        Raises:
            ProblemError: as `read` does.
        """
        marked = approved.set(meant)
        try:
            return await self._call(tool, arguments, returns, repeatable=repeatable)
        finally:
            approved.reset(marked)

    async def tools(self) -> list[Tool]:
        """The tools of the server.

        Raises:
            ProblemError: the server refused, or cannot be reached.
        """
        return list(await self._attempted(lambda client: client.list_tools(), repeatable=True))

    async def _call(self, tool: str, arguments: Mapping[str, Any], returns: type[OutT], *, repeatable: bool) -> OutT:
        result = await self._attempted(
            lambda client: client.call_tool_mcp(tool, dict(arguments)), repeatable=repeatable
        )
        if result.is_error:
            raise refusals.of_tool(self.name, tool, result)
        try:
            return returns.model_validate(result.structured_content)
        except ValidationError as error:
            raise BadGateway(f"The {self.name} service gave a result of {tool} that makes no sense.") from error

    def failure(self, error: Exception, outcome: Outcome | None = None) -> ProblemError:
        """What ``error``, raised instead of a result, means for our caller; `client` has an outcome of its own."""
        outcome = outcome or self._way.outcome
        if outcome.refusal:
            return outcome.refusal
        if outcome.status == httpx2.codes.FORBIDDEN:
            return refusals.of_scope(self.name, outcome.challenge)
        if isinstance(error, MCPError) and error.code == REQUEST_TIMEOUT:
            return GatewayTimeout(f"The {self.name} service did not answer within {self._server.timeout:g} seconds.")
        if outcome.status is None or outcome.status >= httpx2.codes.INTERNAL_SERVER_ERROR:
            evidence = f"status {outcome.status}" if outcome.status else "no answer"
            return Unavailable(f"The {self.name} service cannot be reached now ({evidence}).")
        return BadGateway(f"The {self.name} service gave an answer that makes no sense (status {outcome.status}).")

    async def _attempted(self, send: Callable[[McpClient], Awaitable[T]], *, repeatable: bool) -> T:
        for pause in PAUSES_S if repeatable else ():
            try:
                return await self._sent(send)
            except Unavailable:
                await anyio.sleep(pause)
        return await self._sent(send)

    async def _sent(self, send: Callable[[McpClient], Awaitable[T]]) -> T:
        circuit = self._server.circuit
        async with circuit.admitted(), self._kept() as client:
            with observed() as outcome:
                try:
                    result = await send(client)
                except _TRANSPORT_ERRORS as error:
                    problem = self.failure(error, outcome)
                    if outcome.refusal is None:
                        circuit.note(answered=outcome.status is not None and not isinstance(problem, GatewayTimeout))
                    raise problem from error
        circuit.note(answered=True)
        return result

    @asynccontextmanager
    async def _kept(self) -> AsyncIterator[McpClient]:
        server = self._server
        make = partial(make_client, server.audience, self._way, timeout=server.timeout, answers_questions=True)
        key = (server.name, self._caller.claims["jti"])
        async with server.clients.client(key, until=self._caller.expires_at, make=make) as client:
            yield client
