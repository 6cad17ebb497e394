"""The api: REST for the interface, and the assistant; everything else it reads and changes through MCP."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request, Response
from fastapi.routing import APIRoute
from pydantic.alias_generators import to_camel

from services.api import failures
from services.api.connections import connect
from services.api.cors import CorsFromSettings, allow_origin
from services.api.document import ABOUT, complete
from services.api.headers import SafeHeaders
from services.api.reference import Reference
from services.api.routes import assistant, conversations, events, people, session, teams, ticket_life, tickets
from services.api.settings import ApiSettings
from services.api.trace import Traced
from services.shared.credentials import AmbiguousCredentials
from services.shared.health import healthy
from services.shared.problems import (
    BadGateway,
    Forbidden,
    GatewayTimeout,
    Invalid,
    ProblemError,
    TooManyRequests,
    Unauthenticated,
    Unavailable,
    UriTooLong,
    problems,
)

EVERYWHERE = problems(
    *(AmbiguousCredentials, Unauthenticated, Forbidden, UriTooLong, Invalid, TooManyRequests),
    *(ProblemError, BadGateway, Unavailable, GatewayTimeout),
)


def create_app() -> FastAPI:
    """Routes and schema; what depends on settings is made when the lifespan starts, and again when it starts again."""
    # Costs 40 ms and depends on no setting, so it is made once, with the structure.
    tls = ssl.create_default_context()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        settings = ApiSettings.read()
        async with connect(settings, tls=tls) as connections:
            app.state.connections = connections
            app.state.cors = allow_origin(settings.ui_url)
            yield

    app = FastAPI(
        **ABOUT,
        lifespan=lifespan,
        redirect_slashes=False,
        # FastAPI's own pages would load their scripts from a public server; see `reference`.
        docs_url=None,
        redoc_url=None,
        generate_unique_id_function=_operation_id,
    )
    failures.install(app)
    for layer in (CorsFromSettings, SafeHeaders, Traced):  # each around the ones before
        app.add_middleware(layer)
    for routes in (people, session, teams, tickets, ticket_life, events, assistant, conversations):
        app.include_router(routes.router, responses=EVERYWHERE)
    app.add_api_route("/healthz", _healthz, include_in_schema=False)
    app.add_api_route("/readyz", _readyz, include_in_schema=False)
    app.add_api_route("/favicon.ico", _favicon, include_in_schema=False)
    complete(app)
    Reference(app)
    return app


async def _healthz(request: Request) -> Response:
    return healthy("api", request.app.state.connections.settings.instance_nonce)


async def _readyz(request: Request) -> Response:
    await request.app.state.connections.readiness.check()
    return await _healthz(request)


async def _favicon() -> Response:
    return Response(status_code=204)


def _operation_id(route: APIRoute) -> str:
    return to_camel(route.name)
