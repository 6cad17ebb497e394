"""A lane for the token endpoint, ahead of FastAPI and of the layers around it: to pass them takes longer than its work.

What the layers do with every other request, the same functions do here: find the tenant, record, let origins in, bend.
"""

from __future__ import annotations

from dataclasses import replace

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from services.idp import cors, token
from services.idp.errors import OAuthError, as_json
from services.idp.provider import Provider
from services.idp.simulation.layer import bending, noting, opened
from services.idp.simulation.quirks import Answer
from services.idp.simulation.state import Simulation
from services.idp.tenants import addressed, directed


class TokenLane:
    """Answers ``POST /token`` of every tenant; everything else goes on."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        provider = _asked(scope)
        if provider is None:
            await self._app(scope, receive, send)
            return
        scope = directed(scope, provider, token.PATH)
        simulation: Simulation = scope["app"].state.simulations[provider.tenant]
        record = opened(scope)
        try:
            answer = await _answer(Request(scope, noting(receive, record)), provider)
            bend = bending(simulation, "token", provider)
            if bend is not None:
                answer = bend(replace(answer, asked=record.asked)).measured()
            record.status, record.answer = answer.status, answer.body
            await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
            await send({"type": "http.response.body", "body": answer.body})
        except Exception:
            record.status = 500
            raise
        finally:
            simulation.requests.add(record)


def _asked(scope: Scope) -> Provider | None:
    if scope["type"] != "http" or scope["method"] != "POST" or not scope["path"].endswith(token.PATH):
        return None
    provider, path = addressed(scope)
    return provider if path == token.PATH else None


async def _answer(request: Request, provider: Provider) -> Answer:
    try:
        response = await token.token(request, provider, request.scope["app"].state.tenants.now())
    except OAuthError as error:
        response = await as_json(request, error)
    told = cors.told(request.headers.get("origin"), provider, token.PATH)
    return Answer(response.status_code, (*response.raw_headers, *told), bytes(response.body))
