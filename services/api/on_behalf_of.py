"""How the api authenticates at an MCP server: with a token exchanged for the caller's, never with the caller's own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

import httpx2

from services.api import trace
from services.api.exchange import TokenExchange
from services.shared.problems import ProblemError
from services.shared.tokens import AccessToken


@dataclass(slots=True)
class Outcome:
    """How the last request of a call ended: MCP clients lose that on the way up."""

    asked: bool = False
    status: int | None = None
    """Of the answer; None if there was none."""
    challenge: str = ""
    """Its ``WWW-Authenticate``."""
    refusal: ProblemError | None = None
    """Why no token could be had."""

    @property
    def broken(self) -> bool:
        """Whether the request did not end well."""
        return self.asked and (
            self.refusal is not None or self.status is None or self.status >= httpx2.codes.BAD_REQUEST
        )

    def begin(self) -> None:
        """Forget the request before."""
        self.asked, self.status, self.challenge, self.refusal = True, None, "", None


_observed: ContextVar[Outcome | None] = ContextVar("outcome", default=None)


@contextmanager
def observed() -> Iterator[Outcome]:
    """The outcome of the call in this block: one client serves several at a time, each in a context of its own."""
    outcome = Outcome()
    marked = _observed.set(outcome)
    try:
        yield outcome
    finally:
        _observed.reset(marked)


class OnBehalfOf(httpx2.AsyncBaseTransport):
    """Sends each request with the caller's exchanged token, and remembers how the answer came out.

    It raises nothing: an exception would end the client's session, and with it all that the same caller waits for.
    """

    def __init__(
        self, network: httpx2.AsyncBaseTransport, exchange: TokenExchange, caller: AccessToken, audience: str
    ) -> None:
        """``network`` is everybody's, and not closed with this."""
        self._network = network
        self._exchange = exchange
        self._caller = caller
        self._audience = audience
        self.outcome = Outcome()
        """Of what nobody observes by itself."""

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """The answer; if the token is refused, that to the same request with a token exchanged anew."""
        outcome = _observed.get() or self.outcome
        response = await self._answer(request, outcome)
        if outcome.status == httpx2.codes.UNAUTHORIZED:
            await response.aclose()
            self._exchange.forget(self._caller, self._audience)
            response = await self._answer(request, outcome)
        return response

    async def _answer(self, request: httpx2.Request, outcome: Outcome) -> httpx2.Response:
        outcome.begin()
        try:
            token = await self._exchange.token(self._caller, self._audience)
        except ProblemError as refusal:
            outcome.refusal = refusal
            return _nothing(request)
        request.headers.update({"Authorization": f"Bearer {token}", **trace.headers()})
        try:
            response = await self._network.handle_async_request(request)
            if not response.headers.get("Content-Type", "").startswith("text/event-stream"):
                await response.aread()  # here, so that it cannot break off where an exception does harm
        except httpx2.TransportError:
            return _nothing(request)
        outcome.status, outcome.challenge = response.status_code, response.headers.get("WWW-Authenticate", "")
        return response


def _nothing(request: httpx2.Request) -> httpx2.Response:
    """What stands for an answer where there is none; the outcome tells the two apart."""
    return httpx2.Response(httpx2.codes.SERVICE_UNAVAILABLE, request=request)
