"""FastMCP's own OAuth client finds the provider by way of an MCP server, and gets in."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import fastmcp
import pytest
from anyio import to_thread
from fastmcp.client.auth import OAuth
from fastmcp.client.transports import StreamableHttpTransport
from mcp.shared.auth import AuthorizationCodeResult

from harness.launch import running
from harness.mcp_client import McpClient
from harness.strictness.probe import Application, Browser
from scenarios.services.idp.certificates import certificate, serving_with

if TYPE_CHECKING:
    from harness.stack import Stack

Connect = Callable[..., McpClient]
pytestmark = pytest.mark.filterwarnings("ignore:Using in-memory token storage")


class SignsIn(OAuth):
    """FastMCP's client with somebody in front of the browser it opens, who agrees to everything."""

    def __init__(self, browser: Browser, **known_by: Any) -> None:
        super().__init__(callback_host="127.0.0.1", **known_by)
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
    with connecting(shared_stack) as connected:
        yield connected


@contextmanager
def connecting(stack: Stack) -> Iterator[Connect]:
    browser = Browser(Application(stack.url("idp"), "", "", username="alice"))
    with ExitStack() as opened:

        def connected(**known_by: str) -> McpClient:
            oauth = SignsIn(browser, **known_by)
            client = McpClient(fastmcp.Client(StreamableHttpTransport(stack.audience("ticketing"), auth=oauth)))
            opened.callback(client.close)
            return client

        yield connected


@contextmanager
def described(folder: Path) -> Iterator[str]:
    """The address of a client's own description, over HTTPS as the client insists (MCP 2026-07-28)."""
    document: dict[str, object] = {
        "client_name": "A client with an address",
        "redirect_uris": ["http://127.0.0.1/callback"],
        "grant_types": ["authorization_code", "refresh_token"],
        "token_endpoint_auth_method": "none",
    }

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(json.dumps(document).encode())

        def log_message(self, *arguments: object) -> None:
            """A test has no use for it."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.socket = serving_with(folder).wrap_socket(server.socket, server_side=True)
        document["client_id"] = f"https://localhost:{server.server_port}/client.json"
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield str(document["client_id"])
        server.shutdown()


def test_it_signs_in_as_a_client_that_is_known(connect: Connect) -> None:
    found = connect(client_id="cli").call_tool("search_tickets", {})
    assert found.structured_content["total"] > 0


def test_it_registers_itself_and_signs_in(connect: Connect, offers: Callable[[str], None]) -> None:
    offers("registration_endpoint")
    found = connect().call_tool("search_tickets", {})
    assert found.structured_content["total"] > 0


def test_it_is_known_by_the_address_of_its_description(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody registers anything: no id but the address is seen by the provider."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate(tmp_path, "localhost")))
    with described(tmp_path) as address, running(only=["ticketing"]) as stack, connecting(stack) as connect:
        found = connect(client_metadata_url=address).call_tool("search_tickets", {})
        assert found.structured_content["total"] > 0
        asked = stack.control("idp").requests()
        assert {each["client_id"] for each in asked if each["endpoint"] in ("authorize", "token")} == {address}
        assert "register" not in {each["endpoint"] for each in asked}
