"""The identity provider: OAuth 2.1 and OpenID Connect, strict, with people to choose from instead of passwords.

::

    GET /authorize -> 303 /login?interaction=...     nobody is signed in in this browser yet
    POST /login    -> 303 redirect_uri?code&state&iss
    POST /token    -> access token, ID token, refresh token
    GET /logout    -> 303 post_logout_redirect_uri
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp

from services.idp import (
    authorize,
    consent_page,
    device,
    device_answer,
    device_page,
    discovery,
    introspection,
    login,
    logout,
    par,
    registration,
    revocation,
    tenants,
    token,
    userinfo,
)
from services.idp.cors import RegisteredOrigins
from services.idp.description import described
from services.idp.errors import BearerError, OAuthError, Refusal, as_challenge, as_framework, as_json
from services.idp.lane import TokenLane
from services.idp.pages import Pages
from services.idp.provider import Started
from services.idp.scim import routes as scim
from services.idp.settings import IdpSettings
from services.idp.simulation import routes
from services.idp.simulation.layer import SimulationLayer
from services.idp.simulation.state import Simulations
from services.idp.tenants import Tenancy
from services.shared.health import healthy

KEY_AFTER_S = 0.2
"""So long the first key waits for somebody to need it, while other services start."""


def create_app() -> FastAPI:
    """Routes and templates; keys and state come when the lifespan starts, from the settings of that moment."""
    app = _Provider(
        title="Dress Rehearsal identity provider",
        lifespan=_running,
        middleware=[
            Middleware(Tenancy),
            Middleware(SimulationLayer),
            Middleware(RegisteredOrigins),
        ],
        redirect_slashes=False,  # it would lead out of the tenant, and to whatever Host was sent
        servers=[
            {"url": "/"},
            {"url": "/t/{tenant}", "variables": {"tenant": {"default": "partner"}}},
        ],
        # FastAPI asks OpenTelemetry's environment at each request whether it is wanted.
        telemetry={"tracing": False, "metrics": False, "logs": False},
        docs_url=None,
        redoc_url=None,
    )
    pages = Pages()
    for router in (  # the one that is asked most comes first: they are tried in turn
        token.router,
        discovery.router,
        authorize.router,
        par.router,
        registration.router,
        login.router(pages),
        consent_page.router(pages),
        userinfo.router,
        introspection.router,
        device.router,
        device_page.router(pages),
        device_answer.router(pages),
        revocation.router,
        logout.router(pages),
    ):
        app.include_router(router)

    @app.get("/healthz", operation_id="health")
    async def health(provider: Started) -> JSONResponse:
        """Up, and whose."""
        return healthy("idp", provider.settings.instance_nonce)

    @app.get("/favicon.ico", operation_id="favicon", status_code=204)
    async def favicon() -> Response:
        """None; a 404 would be an error in the console of every browser."""
        return Response(status_code=204)

    async def as_page(request: Request, error: Exception) -> Response:
        assert isinstance(error, Refusal)  # noqa: S101 - registered for this class only
        tenant = request.scope["provider"].tenant
        return pages.render("message.html", tenant=tenant, status=400, title=error.title, explanation=error.explanation)

    routes.register(app)
    app.openapi = partial(described, app)  # type: ignore[method-assign]  # FastAPI's own way to extend the document
    scim.register(app)
    app.add_exception_handler(OAuthError, as_json)
    app.add_exception_handler(HTTPException, as_framework)
    app.add_exception_handler(BearerError, as_challenge)
    app.add_exception_handler(Refusal, as_page)
    return app


class _Provider(FastAPI):
    def build_middleware_stack(self) -> ASGIApp:
        return TokenLane(super().build_middleware_stack())


@asynccontextmanager
async def _running(app: FastAPI) -> AsyncIterator[None]:
    async with tenants.started(IdpSettings.read()) as app.state.tenants:
        app.state.simulations = Simulations()
        preparing = asyncio.get_running_loop().call_later(KEY_AFTER_S, app.state.tenants.root.keys.prepare)
        try:
            yield
        finally:
            preparing.cancel()
            del app.state.tenants, app.state.simulations
