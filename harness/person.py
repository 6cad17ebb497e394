"""Somebody of the seeded world: signs in by code + PKCE without a browser, calls the REST API and the MCP tools."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import anyio.from_thread
import httpx

from harness import code_flow
from harness.code_flow import TIMEOUT_S, SignInError
from harness.errors import HarnessError

if TYPE_CHECKING:
    import fastmcp
    from fastmcp.client.elicitation import ElicitationHandler
    from mcp_types import ElicitRequestParams

__all__ = ["Person", "SignInError"]
CLIENT_ID = "cli"
REDIRECT_URI = "http://127.0.0.1/callback"


class Person:
    """One user of a running system. Nothing is asked of the identity provider before the first token is needed."""

    def __init__(
        self, username: str, *, issuer: str, audiences: Mapping[str, str], organization: str | None = None
    ) -> None:
        """``organization``: id or slug of one that they are in; their first unless given."""
        self.username, self._organization = username, organization
        self._issuer, self._audiences = issuer, audiences
        self._tokens: dict[tuple[str, str | None], str] = {}
        self._opened = ExitStack()
        self._api: httpx.Client | None = None

    def token(self, audience: str = "api", *, scope: str | None = None) -> str:
        """An access token for the service ``audience``; None asks for every scope the client may have.

        Raises:
            SignInError: nobody of that name, or the request was refused.
            HarnessError: no such service, or it takes no tokens.
        """
        key = (audience, scope)
        if key not in self._tokens:
            client = code_flow.Client(self._issuer, CLIENT_ID, REDIRECT_URI, self._resource(audience), scope)
            signed_in = code_flow.sign_in(client, self.username, organization=self._organization)
            self._tokens[key] = signed_in.tokens["access_token"]
        return self._tokens[key]

    @property
    def api(self) -> httpx.Client:
        """The REST API with this person's token."""
        if self._api is None:
            self._api = self._opened.enter_context(
                httpx.Client(
                    base_url=self._resource("api"),
                    auth=_Bearer(self.token("api")),
                    verify=code_flow.tls(),
                    timeout=TIMEOUT_S,
                )
            )
        return self._api

    def mcp(
        self, service: str, *, mode: str = "auto", scope: str | None = None, approve: bool | None = None
    ) -> fastmcp.Client[Any]:
        """FastMCP's client of an MCP server with this person's token, to be entered by ``async with``.

        ``approve`` is what the person says when a tool asks before it destroys something; None: they cannot be asked.
        """
        # A second of imports that most callers do not need.
        from fastmcp import Client  # noqa: PLC0415
        from fastmcp.client.transports import StreamableHttpTransport  # noqa: PLC0415

        token = self.token(service, scope=scope)
        transport = StreamableHttpTransport(self._resource(service), auth=token, verify=code_flow.tls())
        return Client(transport, mode=mode, elicitation_handler=None if approve is None else _answering(approve))

    def call_tool(
        self, service: str, tool: str, *, mode: str = "auto", approve: bool | None = None, **arguments: Any
    ) -> dict[str, Any]:
        """Call an MCP tool by FastMCP's client and return its structured content. ``approve`` as for ``mcp``.

        Raises:
            fastmcp.exceptions.ToolError: the tool answered with an error.
        """
        entered = self.mcp(service, mode=mode, approve=approve)

        async def call() -> dict[str, Any]:
            async with entered as client:
                result = await client.call_tool(tool, arguments)
                return dict(result.structured_content or {})

        # A portal has its own event loop: Playwright leaves one running in the main thread.
        with anyio.from_thread.start_blocking_portal() as portal:
            return portal.call(call)

    def close(self) -> None:
        """Close the connections that were opened."""
        self._opened.close()
        self._api = None

    def _resource(self, service: str) -> str:
        if service not in self._audiences:
            known = ", ".join(self._audiences) or "none"
            raise HarnessError(f"no service called {service!r} takes tokens", todo=f"those that do: {known}")
        return self._audiences[service]


def _answering(approve: bool) -> ElicitationHandler[Any, Any]:
    """Somebody who says the same to every question that wants a yes or a no."""

    async def answer(_message: str, _type: object, params: ElicitRequestParams, _context: object) -> Any:
        from fastmcp.client.elicitation import ElicitResult  # noqa: PLC0415  # see Person.mcp

        asked = getattr(params, "requested_schema", {}).get("properties", {})
        return ElicitResult(action="accept", content=dict.fromkeys(asked, approve))

    return answer


class _Bearer(httpx.Auth):
    def __init__(self, token: str) -> None:
        self._token = token

    def auth_flow(self, request: httpx.Request) -> Iterator[httpx.Request]:  # type: ignore[override]
        # As an auth object it is never sent to another origin after a redirect.
        request.headers["Authorization"] = f"Bearer {self._token}"
        yield request
