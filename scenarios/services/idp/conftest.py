"""The identity provider in the words of a client: over HTTP, and alone with a clock of its own."""

from __future__ import annotations

import base64
import hashlib
import secrets
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from itertools import count
from threading import Thread
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, quote_plus, urlsplit

import httpx2 as httpx
import jwt
import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from fastapi import FastAPI

from scenarios.services.idp import inside
from services.idp.app import create_app
from services.idp.provider import Provider

if TYPE_CHECKING:
    from harness.stack import Stack

LOOPBACK = "http://127.0.0.1:4321/callback"
EVERYTHING = "openid profile email offline_access tickets:read tickets:write orgs:read"
EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"  # noqa: S105 - a name
VERIFIER = "a-verifier-that-names-its-tests-the-same-in-every-process-0123"


def s256(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def told(response: httpx.Response) -> dict[str, str]:
    """What a redirect says in its query; it must be the kind of redirect that drops a form."""
    assert response.status_code == 303, response.text
    query = parse_qs(urlsplit(response.headers["location"]).query, strict_parsing=True)
    assert all(len(values) == 1 for values in query.values())
    return {name: values[0] for name, values in query.items()}


def claims(token: str) -> dict[str, Any]:
    return jwt.decode(token, options={"verify_signature": False})


def refused(response: httpx.Response, status: int, error: str) -> str:
    """Assert an error answer in the form of RFC 6749 §5.2; returns its description."""
    assert (response.status_code, response.json().get("error")) == (status, error), response.text
    assert response.headers["cache-control"] == "no-store"
    return str(response.json()["error_description"])


@dataclass(frozen=True)
class Places:
    """Where the parts of a system are."""

    idp: str
    ui: str
    api: str
    ticketing: str
    organizations: str

    @classmethod
    def of(cls, stack: Stack) -> Places:
        """Those of a running system."""
        audiences = {name: stack.audience(name) for name in ("api", "ticketing", "organizations")}
        return cls(idp=stack.url("idp"), ui=stack.url("ui"), **audiences)


@dataclass
class Client:
    """A browser and a client application in one: it keeps cookies and knows the flow. ``None`` leaves a field out."""

    http: httpx.Client
    at: Places

    def asked(self, **changes: str | None) -> dict[str, str]:
        """An authorization request of the command line for the api, with these changes."""
        usual: dict[str, str | None] = {
            "response_type": "code",
            "client_id": "cli",
            "redirect_uri": LOOPBACK,
            "scope": EVERYTHING,
            "state": "the state",
            "nonce": "the nonce",
            "resource": self.at.api,
            "code_challenge": s256(VERIFIER),
            "code_challenge_method": "S256",
        }
        return {name: value for name, value in (usual | changes).items() if value is not None}

    def as_ui(self, **changes: str | None) -> dict[str, str]:
        """The same of the web interface, which names no resource."""
        return self.asked(
            **{"client_id": "ui", "redirect_uri": f"{self.at.ui}/auth/callback", "resource": None} | changes
        )

    def has_cookies(self, cookies: Mapping[str, str]) -> None:
        """From now on the browser has these and no others."""
        self.http.cookies.clear()
        for name, value in cookies.items():
            self.http.cookies.set(name, value)

    def authorize(self, asked: Mapping[str, str] | str) -> httpx.Response:
        return self.http.get("/authorize", params=asked)

    def pick(self, username: str, begun: httpx.Response) -> httpx.Response:
        """Press the button of a person on the page an authorization request led to."""
        return self.http.post("/login", data={"interaction": told(begun)["interaction"], "username": username})

    def answer(self, question: str, answer: str = "allow") -> httpx.Response:
        """Answer the question of consent at that address."""
        interaction = parse_qs(urlsplit(question).query)["interaction"][0]
        return self.http.post("/consent", data={"interaction": interaction, "answer": answer})

    def sign_in(self, username: str = "alice", asked: Mapping[str, str] | None = None) -> dict[str, str]:
        """What the client is told at the end of a sign-in on the page: ``code``, ``state``, ``iss``."""
        return told(self.pick(username, self.authorize({"prompt": "login"} | dict(asked or self.asked()))))

    def redeem(self, code: str, /, **changes: str | None) -> httpx.Response:
        """Hand in a code."""
        usual: dict[str, str | None] = {
            "grant_type": "authorization_code",
            "client_id": "cli",
            "code": code,
            "redirect_uri": LOOPBACK,
            "code_verifier": VERIFIER,
        }
        return self.post("/token", usual | changes)

    def tokens(self, username: str = "alice", **changes: str | None) -> dict[str, Any]:
        """The token response after a sign-in with these changes of the authorization request."""
        response = self.redeem(self.sign_in(username, self.asked(**changes))["code"])
        assert response.status_code == 200, response.text
        answer: dict[str, Any] = response.json()
        return answer

    def ui_tokens(self, username: str = "alice") -> dict[str, Any]:
        """The same for the web interface."""
        code = self.sign_in(username, self.as_ui())["code"]
        answer: dict[str, Any] = self.redeem(code, client_id="ui", redirect_uri=f"{self.at.ui}/auth/callback").json()
        return answer

    def refresh(self, token: str, /, **changes: str | None) -> httpx.Response:
        """Hand in a refresh token."""
        usual: dict[str, str | None] = {"grant_type": "refresh_token", "client_id": "cli", "refresh_token": token}
        return self.post("/token", usual | changes)

    def revoke(self, token: str, client_id: str = "cli") -> httpx.Response:
        return self.post("/revoke", {"client_id": client_id, "token": token})

    def userinfo(self, token: str) -> httpx.Response:
        return self.http.get("/userinfo", headers={"Authorization": f"Bearer {token}"})

    def post(self, path: str, form: Mapping[str, str | None], **request: Any) -> httpx.Response:
        return self.http.post(path, data={name: value for name, value in form.items() if value is not None}, **request)


@dataclass
class Alone(Client):
    """The provider without the rest of the system, so that a test has its secret and its clock in hand."""

    app: FastAPI
    portal: BlockingPortal
    api_secret: str
    organizations_secret: str
    seconds: float = field(default_factory=time.time)

    @property
    def provider(self) -> Provider:
        """What runs behind it: the tenant at the root."""
        provider: Provider = self.app.state.tenants.root
        return provider

    def client_credentials(self, **changes: str | None) -> httpx.Response:
        """The organizations server asks for itself, to change people."""
        usual: dict[str, str | None] = {"grant_type": "client_credentials", "scope": "users:write"}
        return self.post("/token", usual | changes, auth=("organizations", quote_plus(self.organizations_secret)))

    def introspect(self, token: str, /, **changes: str | None) -> httpx.Response:
        """The api asks what a token is worth."""
        return self.post("/introspect", {"token": token} | changes, auth=("api", quote_plus(self.api_secret)))

    def exchange(self, subject_token: str, /, **changes: str | None) -> httpx.Response:
        """The api hands in a token it was called with, for one of ticketing."""
        usual: dict[str, str | None] = {
            "grant_type": EXCHANGE,
            "subject_token": subject_token,
            "subject_token_type": ACCESS_TOKEN,
            "resource": self.at.ticketing,
        }
        return self.post("/token", usual | changes, auth=(quote_plus("api"), quote_plus(self.api_secret)))


@pytest.fixture
def callback() -> Iterator[str]:
    """A program that waits for its answer on a loopback port, as a command line does."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path.startswith("/callback") else 204)
            self.send_header("Content-Type", "text/plain")
            self.end_headers()
            self.wfile.write(b"Back at the command line")

        def log_message(self, *arguments: object) -> None:
            """A test has no use for it."""

    with HTTPServer(("127.0.0.1", 0), Page) as server:
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/callback"
        server.shutdown()


@pytest.fixture(scope="session")
def tls() -> ssl.SSLContext:
    """Made once: a client that makes its own takes 40 ms for it, even if it never speaks TLS."""
    return ssl.create_default_context()


@pytest.fixture
def idp(shared_stack: Stack, tls: ssl.SSLContext) -> Iterator[Client]:
    """The identity provider of the running system, as a browser that was never there before."""
    with httpx.Client(base_url=shared_stack.url("idp"), verify=tls) as http:
        yield Client(http, Places.of(shared_stack))


@pytest.fixture
def fresh(stack: Stack, tls: ssl.SSLContext) -> Iterator[Client]:
    """The same in a system of the test's own."""
    with httpx.Client(base_url=stack.url("idp"), verify=tls) as http:
        yield Client(http, Places.of(stack))


ALONE = Places(
    idp="http://localhost:41",
    ui="http://localhost:42",
    api="http://localhost:43",
    ticketing="http://localhost:44/mcp",
    organizations="http://localhost:45/mcp",
)


class Keyring:
    """Makes RSA keys as the library does, which takes 50 ms, and hands the usual ones out again after many others."""

    MANY = 16

    def __init__(self) -> None:
        self._made: list[rsa.RSAPrivateKey] = []
        self._asked = count()

    def generate(self, public_exponent: int, key_size: int) -> rsa.RSAPrivateKey:
        """Another key than the last ones."""
        if (public_exponent, key_size) != (65537, 2048):
            return generate_private_key(public_exponent, key_size)
        position = next(self._asked) % self.MANY
        if position >= len(self._made):
            self._made.append(generate_private_key(public_exponent, key_size))
            return self._made[-1]
        return self._made[position]


@pytest.fixture(scope="session")
def keyring() -> Keyring:
    """Keys for the providers of one process."""
    return Keyring()


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch, keyring: Keyring) -> dict[str, str]:
    """The environment of a provider without a system around it. It need not wait for an RSA key."""
    monkeypatch.setattr(rsa, "generate_private_key", keyring.generate)
    environment = {
        "ISSUER_URL": ALONE.idp,
        "UI_URL": ALONE.ui,
        "API_URL": ALONE.api,
        "TICKETING_URL": ALONE.ticketing.removesuffix("/mcp"),
        "ORGANIZATIONS_URL": ALONE.organizations.removesuffix("/mcp"),
        "API_CLIENT_SECRET": f"{secrets.token_urlsafe(8)}: + and %",
        "ORGANIZATIONS_CLIENT_SECRET": secrets.token_urlsafe(8),
        "SIMULATION_SECRET": secrets.token_urlsafe(8),
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return environment


@pytest.fixture(scope="session")
def app() -> FastAPI:
    """Built once, without settings: whoever enters its lifespan has a provider of their own."""
    return create_app()


@pytest.fixture(scope="session")
def portal() -> Iterator[BlockingPortal]:
    """The event loop that providers live on, one after the other: a thread for each takes longer than most tests."""
    with start_blocking_portal() as portal:
        yield portal


Living = Callable[..., AbstractContextManager[Alone]]


@pytest.fixture
def living(app: FastAPI, portal: BlockingPortal, settings: dict[str, str]) -> Living:
    """``with living() as alone``: a provider with the settings of that moment.

    ``living(create_app())`` takes an app that was built for it alone, ``raises=False`` answers what breaks with 500.
    """

    @contextmanager
    def life(app: FastAPI = app, *, raises: bool = True, base_url: str = ALONE.idp) -> Iterator[Alone]:
        with (
            inside.lives(app, portal),
            inside.client(app, portal, raises=raises, base_url=base_url) as http,
        ):
            alone = Alone(
                http,
                replace(ALONE, idp=base_url),
                app,
                portal,
                api_secret=settings["API_CLIENT_SECRET"],
                organizations_secret=settings["ORGANIZATIONS_CLIENT_SECRET"],
            )
            app.state.tenants.now = lambda: alone.seconds
            yield alone

    return life


@pytest.fixture
def alone(living: Living) -> Iterator[Alone]:
    """A provider in this process. ``alone.seconds`` is its time."""
    with living() as alone:
        yield alone


Ask = Callable[..., httpx.Response]


@pytest.fixture
def ask(alone: Alone, settings: Mapping[str, str]) -> Ask:
    """``ask("POST", "/mint", {...})``: a call with the secret; ``tenant="partner"`` asks another issuer."""

    def call(method: str, path: str, body: Any = None, *, tenant: str = "", **query: str) -> httpx.Response:
        headers = {"Authorization": f"Bearer {settings['SIMULATION_SECRET']}"}
        place = f"/t/{tenant}/_sim" if tenant else "/_sim"
        return alone.http.request(method, place + path, json=body, params=query or None, headers=headers)

    return call
