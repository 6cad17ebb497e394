"""An MCP server as an ASGI app in two phases: its surface at once, all that needs settings with the lifespan."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
from fastmcp import FastMCP
from fastmcp.resources import ResourceTemplate
from fastmcp.server.http import StarletteWithLifespan, create_streamable_http_app
from mcp.server.auth.routes import build_resource_metadata_url
from mcp.server.caching import CacheHint
from pydantic import AnyHttpUrl
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.types import Receive, Scope, Send

from services.shared.health import healthy
from services.shared.mcp import icon
from services.shared.mcp.authorization import ProtectedResource
from services.shared.mcp.challenge import ScopeChallenge
from services.shared.mcp.completion import Completions, ScopedCompletion
from services.shared.mcp.confirmation import Approvals
from services.shared.mcp.problem_results import ProtocolErrors
from services.shared.mcp.prompt import ScopedPrompt
from services.shared.mcp.resource import ScopedResource
from services.shared.mcp.state import Stateless
from services.shared.mcp.surface import Surface
from services.shared.mcp.tool import ScopedTool
from services.shared.permissions import Caller
from services.shared.tokens import AccessTokenVerifier

MCP_PATH = "/mcp"
ASKS = "What destroys something asks a person first; declined is their no: do not call again unasked."
PAGE = 100
"""As many parts are listed at once; clients ask on."""
LISTS_LAST_S = 300
"""How long a client may keep a list: none changes while the server runs."""


@dataclass(frozen=True)
class Deployment:
    """What a start of the server is given, once its settings are read and its database is open."""

    url: str
    issuer: str
    instance_nonce: str
    desk_for: Callable[[Caller], Any]

    @property
    def audience(self) -> str:
        """The resource this server is to authorization servers (RFC 8707), and the only audience it accepts."""
        return f"{self.url}{MCP_PATH}"


class ToolServer:
    """The tools of one service over streamable HTTP at ``/mcp``; ``app`` is what a web server runs.

    The lifespan may end and start again, with other settings; the surface is built only once.
    """

    def __init__(
        self,
        name: str,
        *,
        instructions: str,
        tools: Sequence[ScopedTool],
        resources: Sequence[ScopedResource] = (),
        prompts: Sequence[ScopedPrompt] = (),
        completions: Sequence[ScopedCompletion] = (),
        first_scope: str,
        deploy: Callable[[], AbstractAsyncContextManager[Deployment]],
    ) -> None:
        """``deploy`` is entered when the lifespan starts; ``first_scope`` is what a new client should ask for."""
        self._name = name
        self._surface = Surface(tools, resources, prompts, completions)
        self._first_scope = first_scope
        self._deploy = deploy
        self._tls = httpx.create_ssl_context(trust_env=False)  # 40 ms: worth keeping from start to start
        self._deployment: Deployment | None = None
        self._http: StarletteWithLifespan | None = None
        self._approvals = Approvals()
        self._mcp = Stateless(
            name,
            instructions=f"{instructions}\n{ASKS}" if any(tool.confirm for tool in tools) else instructions,
            version="1",
            lifespan=self._lend_desks,
            middleware=[ProtocolErrors()],
            mask_error_details=True,
            strict_input_validation=True,
            on_duplicate="error",
            dereference_schemas=False,  # done when they are built, and not for each list
            list_page_size=PAGE,
            cache_ttl=LISTS_LAST_S,
            cache_scope="private",
            request_state_security=self._approvals.security(name),
        )
        # What is read may change at any moment; FastMCP has one hint for lists and contents alike.
        self._mcp._mcp_server.cache_hints["resources/read"] = CacheHint(ttl_ms=0)  # noqa: SLF001
        self._add_parts()
        self.app = Starlette(routes=[Mount("", self._dispatch)], lifespan=self._lifespan)
        self.app.state.mcp = self._mcp

    def _add_parts(self) -> None:
        icons = [icon.of(self._name)]
        tools = {tool.name: tool.built(icons) for tool in self._surface.tools}
        for built in tools.values():
            self._mcp.add_tool(built)
        schemas: Mapping[str, Mapping[str, Any]] = {name: built.parameters for name, built in tools.items()}
        # Asked at every call whether headers repeat arguments; unless told, the library lists all tools to find out.
        self._mcp._mcp_server.get_tool_input_schema = schemas.get  # noqa: SLF001  # FastMCP has no argument for it
        for resource in self._surface.resources:
            read = resource.built(icons)
            if isinstance(read, ResourceTemplate):
                self._mcp.add_template(read)
            else:
                self._mcp.add_resource(read)
        for prompt in self._surface.prompts:
            self._mcp.add_prompt(prompt.built(icons))
        if self._surface.completions:
            self._mcp.add_completion_handler(
                Completions(self._surface.completions, arguments=self._surface.arguments, server=self._mcp)
            )

    async def _dispatch(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._http is None:
            raise RuntimeError(f"{self._name} was called outside its lifespan")
        # White space around a value is no part of it (RFC 9110 §5.5), which the parser of the web server does not heed.
        scope["headers"] = [(name, value.strip(b" \t")) for name, value in scope["headers"]]
        await self._http(scope, receive, send)

    @asynccontextmanager
    async def _lifespan(self, _app: Starlette) -> AsyncIterator[None]:
        async with self._deploy() as deployment, httpx.AsyncClient(verify=self._tls, trust_env=False) as client:
            http = self._served(deployment, client)
            self._deployment = deployment
            self._approvals.renew()
            try:
                async with http.lifespan(http):
                    self._http = http
                    yield
            finally:
                self._http = self._deployment = None

    @asynccontextmanager
    async def _lend_desks(self, _mcp: FastMCP) -> AsyncIterator[dict[str, Any]]:
        if self._deployment is None:
            raise RuntimeError(f"{self._name} must be started through its app")
        yield {"desk_for": self._deployment.desk_for, "approvals": self._approvals}

    def _served(self, deployment: Deployment, client: httpx.AsyncClient) -> StarletteWithLifespan:
        verifier = AccessTokenVerifier(issuer=deployment.issuer, audience=deployment.audience, http=client)
        resource = ProtectedResource(
            verifier,
            url=deployment.url,
            name=self._name,
            scopes=self._surface.scopes,
            first_scope=self._first_scope,
        )

        async def health(_request: Request) -> Response:
            return healthy(self._name, deployment.instance_nonce)

        # Not FastMCP.http_app(): it takes the authorization from the instance, which outlives this start, and what is
        # left out of the call from FASTMCP_* variables and a .env file.
        return create_streamable_http_app(
            self._mcp,
            MCP_PATH,
            auth=resource,
            routes=[Route("/healthz", health)],
            middleware=[
                Middleware(
                    ScopeChallenge,
                    needs=self._surface.needs(),
                    metadata_url=str(build_resource_metadata_url(AnyHttpUrl(deployment.audience))),
                )
            ],
            host_origin_protection=True,
            allowed_hosts=[httpx.URL(deployment.url).host],
        )
