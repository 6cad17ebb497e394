"""An issuer that signs whatever it is told to, and a resource server that decides. The keys are the test's own."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import httpx
import jwt
import pytest
from anyio.from_thread import start_blocking_portal
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from services.shared.tokens import AccessToken, AccessTokenVerifier, InvalidToken

ISSUER, AUDIENCE, NOW = "http://localhost:41", "http://localhost:44/mcp", 1_800_000_000
Changes = dict[str, Any]


def encoded(value: bytes | Changes) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def published(kid: str, algorithm: str, private: Any) -> Changes:
    members: Changes = jwt.get_algorithm_by_name(algorithm).to_jwk(private.public_key(), as_dict=True)
    members.pop("key_ops", None)
    return members | {"kid": kid, "use": "sig", "alg": algorithm}


@dataclass
class Issuer:
    """An issuer that signs whatever it is told to, and a count of how often its keys were fetched."""

    private: dict[str, tuple[str, Any]]
    jwks: Changes = field(default_factory=dict)
    answer: Callable[[], httpx.Response] | None = None
    fetches: int = 0

    def publish(self, *kids: str) -> None:
        self.jwks = {"keys": [published(kid, *self.private[kid]) for kid in kids]}

    def respond(self, request: httpx.Request) -> httpx.Response:
        assert str(request.url) == f"{ISSUER}/jwks"
        self.fetches += 1
        return self.answer() if self.answer else httpx.Response(200, json=self.jwks)

    def sign(self, header: Changes | bytes, payload: Changes | bytes, *, key: str = "rsa") -> str:
        signed = f"{encoded(header)}.{encoded(payload)}"
        algorithm, private = self.private[key]
        signature = jwt.get_algorithm_by_name(algorithm).sign(signed.encode(), private)
        return f"{signed}.{encoded(signature)}"


@pytest.fixture(scope="session")
def private_keys() -> dict[str, tuple[str, Any]]:
    return {
        "rsa": ("RS256", rsa.generate_private_key(public_exponent=65537, key_size=2048)),
        "other": ("RS256", rsa.generate_private_key(public_exponent=65537, key_size=2048)),
        "ec": ("ES256", ec.generate_private_key(ec.SECP256R1())),
        "ed": ("EdDSA", ed25519.Ed25519PrivateKey.generate()),
    }


@pytest.fixture
def issuer(private_keys: dict[str, tuple[str, Any]]) -> Issuer:
    issuer = Issuer(private_keys)
    issuer.publish("rsa", "ec", "ed")
    return issuer


Verify = Callable[..., AccessToken]


@pytest.fixture
def verify(issuer: Issuer) -> Verify:
    """Verify in an event loop of its own thread: a browser test may have left one running in this thread."""
    http = httpx.AsyncClient(transport=httpx.MockTransport(issuer.respond))
    verifier = AccessTokenVerifier(issuer=ISSUER, audience=AUDIENCE, http=http)

    def call(token: str, *, at: float = NOW) -> AccessToken:
        with start_blocking_portal() as portal:
            return portal.call(partial(verifier.verify, token, at=at))

    return call


def header(**changes: Any) -> Changes:
    return changed({"alg": "RS256", "typ": "at+jwt", "kid": "rsa"}, changes)


def payload(**changes: Any) -> Changes:
    usual = {
        "iss": ISSUER, "sub": "usr_1", "aud": AUDIENCE, "exp": NOW + 600, "iat": NOW, "nbf": NOW, "jti": "family.1",
        "client_id": "api", "scope": "tickets:read tickets:write", "org_id": "org_1", "roles": ["agent"],
    }  # fmt: skip
    return changed(usual, changes)


def changed(usual: Changes, changes: Changes) -> Changes:
    """With changes; ``...`` takes a member out."""
    return {name: value for name, value in (usual | changes).items() if value is not ...}


def refused(verify: Verify, token: str, *, at: float = NOW) -> str:
    with pytest.raises(InvalidToken) as caught:
        verify(token, at=at)
    description = caught.value.description
    # RFC 6750 §3: what may stand in error_description
    assert description.isascii()
    assert description.isprintable()
    assert '"' not in description
    assert "\\" not in description
    return description
