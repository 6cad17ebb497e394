"""The layer around the strict protocol: it records what was asked and answered, and bends answers when told to."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.idp.provider import Provider
from services.idp.simulation import gate
from services.idp.simulation.quirks import Answer, Endpoint
from services.idp.simulation.requests import LONGEST, Recorded
from services.idp.simulation.state import Simulation

_WELL_KNOWN = ("/.well-known/openid-configuration", "/.well-known/oauth-authorization-server")
_ENDPOINTS: Mapping[str, Endpoint] = {"/jwks": "jwks", "/token": "token", "/userinfo": "userinfo"}
_UNRECORDED = ("/healthz", "/favicon.ico")
_PREFIX = "/_sim"


class SimulationLayer:
    """Stands inside ``Tenancy``. Requests to ``/_sim`` are neither recorded nor bent."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in _UNRECORDED:
            await self._app(scope, receive, send)
            return
        if scope["path"].startswith(_PREFIX):
            closed = gate.closed(Request(scope))
            await (gate.refusal(closed) if closed else self._app)(scope, receive, send)
            return
        provider = _asked(scope)
        simulation: Simulation = scope["app"].state.simulations[provider.tenant]
        record = opened(scope)
        telling = _Telling(record, send, bending(simulation, _endpoint(scope["path"]), provider))
        try:
            await self._app(scope, noting(receive, record), telling)
            await telling.finish()
        except Exception:
            record.status = 500
            raise
        finally:
            simulation.requests.add(record)


class _Telling:
    """Passes an answer on and notes it; holds it back until it is whole where it is to be bent."""

    def __init__(self, record: Recorded, send: Send, bend: Callable[[Answer], Answer] | None) -> None:
        self._record, self._send, self._bend = record, send, bend
        self._start: Message = {}

    async def __call__(self, message: Message) -> None:
        record = self._record
        if message["type"] == "http.response.start":
            record.status = message["status"]
            if 300 <= record.status < 400:  # noqa: PLR2004  # a redirect: all it says is in one header
                record.location = next((v.decode("latin-1") for k, v in message["headers"] if k == b"location"), "")
            self._start = message
        elif message["type"] == "http.response.body" and len(record.answer) < LONGEST:
            record.answer += message.get("body", b"")
        if self._bend is None:
            await self._send(message)

    async def finish(self) -> None:
        """Send what was held back."""
        if self._bend is None or not self._start:
            return
        record = self._record
        answer = Answer(record.status, tuple(self._start["headers"]), record.answer, record.asked)
        answer = self._bend(answer).measured()
        await self._send({**self._start, "status": answer.status, "headers": list(answer.headers)})
        await self._send({"type": "http.response.body", "body": answer.body})
        record.status, record.answer, record.location = answer.status, answer.body, answer.header("location")


def opened(scope: Scope) -> Recorded:
    """The record of a request that begins now."""
    return Recorded(
        at=time.time(),
        method=scope["method"],
        path=scope["path"],
        query=scope["query_string"],
        authorization=next((value for name, value in scope["headers"] if name == b"authorization"), b""),
    )


def bending(simulation: Simulation, endpoint: Endpoint, provider: Provider) -> Callable[[Answer], Answer] | None:
    """What is to be done to an answer of this endpoint; None if nothing is, which is the rule."""
    if not simulation.quirks.concern(endpoint):
        return None

    def bend(answer: Answer) -> Answer:
        location = answer.header("location")
        if endpoint == "authorization" and (not location or location.startswith(f"{provider.issuer}/")):
            return answer  # not the way back to a client
        return simulation.quirks.bend(answer, endpoint, provider)

    return bend


def _asked(scope: Scope) -> Provider:
    """The tenant, also where RFC 8414 puts its name behind the well-known path."""
    provider: Provider = scope["provider"]
    for path in _WELL_KNOWN:
        if scope["path"].startswith(f"{path}/t/"):
            named: Provider = scope["app"].state.tenants.get(scope["path"].removeprefix(f"{path}/t/"), provider)
            return named
    return provider


def _endpoint(path: str) -> Endpoint:
    return "metadata" if path.startswith(_WELL_KNOWN) else _ENDPOINTS.get(path, "authorization")


def noting(receive: Receive, record: Recorded) -> Receive:
    """Receives, and keeps what of the body there is."""

    async def received() -> Message:
        message = await receive()
        if message["type"] == "http.request" and len(record.body) < LONGEST:
            record.body += message.get("body", b"")
        return message

    return received
