"""Somebody of the seeded world: signs in by code + PKCE without a browser, calls the REST API and the MCP tools."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import secrets
import ssl
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from typing import Any
from urllib.parse import parse_qs, urlsplit

import anyio.from_thread
import httpx

from harness.errors import HarnessError

CLIENT_ID = "cli"
REDIRECT_URI = "http://127.0.0.1/callback"
TIMEOUT_S = 30.0


class SignInError(HarnessError):
    """The identity provider did not give a code or a token; carries its answer."""


class Person:
    """One user of a running system. Nothing is asked of the identity provider before the first token is needed."""

    def __init__(self, username: str, *, issuer: str, audiences: Mapping[str, str]) -> None:
        self.username = username
        self._issuer, self._audiences = issuer, audiences
        self._tokens: dict[tuple[str, str | None], str] = {}
        self._opened = ExitStack()
        self._api: httpx.Client | None = None
        # All it speaks to is plain HTTP on this machine, and a context without certificates costs nothing.
        self._ssl = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)

    def token(self, audience: str = "api", *, scope: str | None = None) -> str:
        """An access token for the service ``audience``; None asks for every scope the client may have.

        Raises:
            SignInError: nobody of that name, or the request was refused.
        """
        key = (audience, scope)
        if key not in self._tokens:
            self._tokens[key] = self._authorize(self._audiences[audience], scope)
        return self._tokens[key]

    @property
    def api(self) -> httpx.Client:
        """The REST API with this person's token."""
        if self._api is None:
            self._api = self._opened.enter_context(
                httpx.Client(
                    base_url=self._audiences["api"],
                    auth=_Bearer(self.token("api")),
                    verify=self._ssl,
                    timeout=TIMEOUT_S,
                )
            )
        return self._api

    def call_tool(self, service: str, tool: str, *, mode: str = "auto", **arguments: Any) -> dict[str, Any]:
        """Call an MCP tool by FastMCP's client and return its structured content.

        Raises:
            fastmcp.exceptions.ToolError: the tool answered with an error.
        """
        # A second of imports that most callers do not need.
        from fastmcp import Client  # noqa: PLC0415
        from fastmcp.client.transports import StreamableHttpTransport  # noqa: PLC0415

        transport = StreamableHttpTransport(self._audiences[service], auth=self.token(service), verify=self._ssl)

        async def call() -> dict[str, Any]:
            async with Client(transport, mode=mode) as client:
                result = await client.call_tool(tool, arguments)
                return dict(result.structured_content or {})

        # A portal has its own event loop: Playwright leaves one running in the main thread.
        with anyio.from_thread.start_blocking_portal() as portal:
            return portal.call(call)

    def close(self) -> None:
        """Close the connections that were opened."""
        self._opened.close()
        self._api = None

    def _authorize(self, resource: str, scope: str | None) -> str:
        verifier, sent_state = secrets.token_urlsafe(48), secrets.token_urlsafe(16)
        asked = {
            "response_type": "code",
            "client_id": CLIENT_ID,
            "redirect_uri": REDIRECT_URI,
            "resource": resource,
            "state": sent_state,
            "code_challenge": base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest())
            .rstrip(b"=")
            .decode(),
            "code_challenge_method": "S256",
        }
        if scope is not None:
            asked["scope"] = scope
        with self._browser() as browser:
            answer = self._pick(browser, browser.get("/authorize", params=asked))
            told = {name: values[0] for name, values in parse_qs(urlsplit(answer).query).items()}
            if told.get("state") != sent_state or told.get("iss") != self._issuer or "code" not in told:
                raise SignInError(
                    f"{self.username!r} could not sign in at {self._issuer}", evidence=f"redirected to {answer}"
                )
            form = {
                "grant_type": "authorization_code",
                "client_id": CLIENT_ID,
                "code": told["code"],
                "code_verifier": verifier,
                "redirect_uri": REDIRECT_URI,
                "resource": resource,
            }
            response = browser.post("/token", data=form)
        if response.status_code != httpx.codes.OK:
            raise SignInError(
                f"{self.username!r} got no token for {resource}",
                evidence=f"{response.status_code} {response.text[:300]}",
            )
        token: str = response.json()["access_token"]
        return token

    def _pick(self, browser: httpx.Client, response: httpx.Response) -> str:
        """Pick this person on the sign-in page; returns the redirect back to the client."""
        location = response.headers.get("location", "")
        interaction = parse_qs(urlsplit(location).query).get("interaction")
        if interaction is None:
            if location:
                return str(location)
            raise SignInError(
                "the authorization request was refused", evidence=f"{response.status_code} {response.text[:300]}"
            )
        picked = browser.post("/login", data={"interaction": interaction[0], "username": self.username})
        if "location" not in picked.headers:
            raise SignInError(
                f"nobody called {self.username!r} can sign in at {self._issuer}",
                evidence=f"{picked.status_code} from POST /login",
                todo="the sign-in page lists who can",
            )
        return str(picked.headers["location"])

    @contextlib.contextmanager
    def _browser(self) -> Iterator[httpx.Client]:
        with httpx.Client(base_url=self._issuer, verify=self._ssl, timeout=TIMEOUT_S) as browser:
            yield browser


class _Bearer(httpx.Auth):
    def __init__(self, token: str) -> None:
        self._token = token

    def auth_flow(self, request: httpx.Request) -> Iterator[httpx.Request]:  # type: ignore[override]
        # As an auth object it is never sent to another origin after a redirect.
        request.headers["Authorization"] = f"Bearer {self._token}"
        yield request
