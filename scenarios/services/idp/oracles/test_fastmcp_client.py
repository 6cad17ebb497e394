"""FastMCP's own OAuth client finds the provider by way of an MCP server, and gets in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import fastmcp
import pytest
from anyio import to_thread
from fastmcp.client.auth import OAuth
from fastmcp.client.transports import StreamableHttpTransport
from mcp.shared.auth import AuthorizationCodeResult

from harness.mcp_client import McpClient
from harness.strictness.probe import Application, Browser

if TYPE_CHECKING:
    from harness.stack import Stack

Connect = Callable[..., McpClient]
pytestmark = pytest.mark.filterwarnings("ignore:Using in-memory token storage")


class SignsIn(OAuth):
    """FastMCP's client with somebody in front of the browser it opens, who agrees to everything."""

    def __init__(self, browser: Browser, *, client_id: str | None) -> None:
        super().__init__(callback_host="127.0.0.1", client_id=client_id)
        self._browser = browser

    async def redirect_handler(self, authorization_url: str) -> None:
        """Where a person would be asked to sign in."""
        landing = await to_thread.run_sync(self._browser.visit, authorization_url)
        assert landing.address is not None, landing
        self._told = parse_qs(urlsplit(landing.address).query)

    async def callback_handler(self) -> AuthorizationCodeResult:
        """What the browser came back with."""
        code, state, iss = (self._told[name][0] for name in ("code", "state", "iss"))
        return AuthorizationCodeResult(code=code, state=state, iss=iss)


@pytest.fixture
def connect(shared_stack: Stack) -> Iterator[Connect]:
    """A client of ticketing that knows nothing but its URL, and perhaps its own id."""
    browser = Browser(Application(shared_stack.url("idp"), "", "", username="alice"))
    with ExitStack() as opened:

        def connected(*, client_id: str | None = None) -> McpClient:
            oauth = SignsIn(browser, client_id=client_id)
            client = McpClient(fastmcp.Client(StreamableHttpTransport(shared_stack.audience("ticketing"), auth=oauth)))
            opened.callback(client.close)
            return client

        yield connected


def test_it_signs_in_as_a_client_that_is_known(connect: Connect) -> None:
    found = connect(client_id="cli").call_tool("search_tickets", {})
    assert found.structured_content["total"] > 0


def test_it_registers_itself_and_signs_in(connect: Connect, offers: Callable[[str], None]) -> None:
    offers("registration_endpoint")
    found = connect().call_tool("search_tickets", {})
    assert found.structured_content["total"] > 0
