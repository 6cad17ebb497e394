"""What a resource server believes: RFC 9068 §4 and RFC 8725, case by case. The keys are the test's own."""

from __future__ import annotations

import asyncio
import base64
import hmac
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
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from services.shared.tokens import AccessToken, AccessTokenVerifier, InvalidToken, KeysUnavailable

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


def test_a_good_token_says_who_may_do_what_and_through_whom(issuer: Issuer, verify: Verify) -> None:
    token = issuer.sign(header(), payload(act={"sub": "api", "act": {"sub": "ui"}}))
    read = verify(token)
    assert (read.token, read.subject, read.client_id, read.org_id) == (token, "usr_1", "api", "org_1")
    assert read.scopes == frozenset({"tickets:read", "tickets:write"})
    assert read.roles == frozenset({"agent"})
    assert (read.actors, read.expires_at, read.claims["jti"]) == (("api", "ui"), NOW + 600, "family.1")
    assert token not in repr(read)


@pytest.mark.parametrize("key", ["rsa", "ec", "ed"])
def test_every_algorithm_of_the_house_is_understood(issuer: Issuer, verify: Verify, key: str) -> None:
    token = issuer.sign(header(alg=issuer.private[key][0], kid=key), payload(), key=key)
    assert verify(token).subject == "usr_1"


@pytest.mark.parametrize(
    ("headers", "claims"),
    [
        ({"typ": "AT+JWT"}, {}),
        ({"typ": "application/at+jwt"}, {}),
        ({}, {"aud": ["http://elsewhere", AUDIENCE]}),
        ({}, {"scope": ...}),
        ({}, {"nbf": ...}),
        ({}, {"org_id": ..., "roles": ...}),
        ({}, {"exp": NOW + 0.5}),
        ({"jku": "https://evil.example/jwks"}, {}),
    ],
)
def test_what_is_left_open_is_left_open(issuer: Issuer, verify: Verify, headers: Changes, claims: Changes) -> None:
    assert verify(issuer.sign(header(**headers), payload(**claims))).subject == "usr_1"


@pytest.mark.parametrize(
    ("claims", "description"),
    [
        ({"exp": NOW}, "the token has expired"),
        ({"exp": NOW - 1}, "the token has expired"),
        ({"exp": ...}, "exp is missing or is not a time"),
        ({"exp": str(NOW + 600)}, "exp is missing or is not a time"),
        ({"exp": True}, "exp is missing or is not a time"),
        ({"exp": None}, "exp is missing or is not a time"),
        ({"exp": -1}, "exp is missing or is not a time"),
        ({"exp": 10**400}, "exp is missing or is not a time"),
        ({"exp": [NOW + 600]}, "exp is missing or is not a time"),
        ({"nbf": NOW + 1}, "the token is not valid yet"),
        ({"nbf": "soon"}, "nbf is missing or is not a time"),
        ({"iat": ...}, "iat is missing or is not a time"),
        ({"iss": ...}, "the token is from another issuer"),
        ({"iss": f"{ISSUER}/"}, "the token is from another issuer"),
        ({"iss": "http://evil.example"}, "the token is from another issuer"),
        ({"iss": [ISSUER]}, "the token is from another issuer"),
        ({"aud": ...}, "aud is missing or is not text"),
        ({"aud": []}, "aud is missing or is not text"),
        ({"aud": 44}, "aud is missing or is not text"),
        ({"aud": [AUDIENCE, 44]}, "aud is missing or is not text"),
        ({"aud": {"uri": AUDIENCE}}, "aud is missing or is not text"),
        ({"aud": f"{AUDIENCE}/"}, "the token is for another audience"),
        ({"aud": AUDIENCE.removesuffix("/mcp")}, "the token is for another audience"),
        ({"aud": AUDIENCE.upper()}, "the token is for another audience"),
        ({"sub": ...}, "sub is missing or is not text"),
        ({"sub": ""}, "sub is missing or is not text"),
        ({"sub": 1}, "sub is missing or is not text"),
        ({"client_id": ...}, "client_id is missing or is not text"),
        ({"jti": ...}, "jti is missing or is not text"),
        ({"org_id": 1}, "org_id is missing or is not text"),
        ({"scope": ["tickets:read"]}, "scope is not text"),
        ({"roles": "agent"}, "roles is not a list of text"),
        ({"roles": [1]}, "roles is not a list of text"),
        ({"act": "api"}, "act is not an object"),
        ({"act": {}}, "sub is missing or is not text"),
        ({"act": {"sub": "api", "act": 1}}, "act is not an object"),
        ({"cnf": {"jkt": "x"}}, "the token is bound to a key and is no bearer token"),
    ],
)
def test_claims_that_do_not_hold(issuer: Issuer, verify: Verify, claims: Changes, description: str) -> None:
    assert refused(verify, issuer.sign(header(), payload(**claims))) == description


@pytest.mark.parametrize("typ", [..., "JWT", "jwt", "logout+jwt", "at+jwt ", "", None, 1])
def test_another_type_is_no_access_token(issuer: Issuer, verify: Verify, typ: object) -> None:
    assert refused(verify, issuer.sign(header(typ=typ), payload())) == "the token is not an access token"


@pytest.mark.parametrize(
    "algorithm", ["none", "nOnE", "None", "", None, ..., "HS256", "RS512", "PS256", "ES256", ["RS256"]]
)
def test_the_algorithm_is_the_keys_and_not_the_tokens(issuer: Issuer, verify: Verify, algorithm: object) -> None:
    allowed = algorithm == "ES256"
    described = refused(verify, issuer.sign(header(alg=algorithm), payload()))
    assert described == ("the signature does not match" if allowed else "the signature algorithm is not allowed")


def test_an_unsigned_token_is_none(verify: Verify) -> None:
    unsigned = f"{encoded(header(alg='none'))}.{encoded(payload())}."
    assert refused(verify, unsigned) == "the token is not a signed JWT"


def test_a_public_key_is_not_a_shared_secret(issuer: Issuer, verify: Verify) -> None:
    public = issuer.private["rsa"][1].public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    signed = f"{encoded(header(alg='HS256'))}.{encoded(payload())}"
    for secret in (public, issuer.jwks["keys"][0]["n"].encode()):
        mac = base64.urlsafe_b64encode(hmac.digest(secret, signed.encode(), "sha256")).rstrip(b"=")
        assert refused(verify, f"{signed}.{mac.decode()}") == "the signature algorithm is not allowed"


@pytest.mark.parametrize(
    "hint",
    [{"jwk": "other"}, {"jku": "https://evil.example/jwks"}, {"x5u": "https://evil.example/c"}, {"x5c": ["AA=="]}],
)
def test_a_key_the_token_brings_along_is_ignored(issuer: Issuer, verify: Verify, hint: Changes) -> None:
    if hint.get("jwk"):
        hint = {"jwk": published("rsa", *issuer.private["other"])}
    assert refused(verify, issuer.sign(header(**hint), payload(), key="other")) == "the signature does not match"
    assert issuer.fetches == 1


@pytest.mark.parametrize("kid", ["unknown", "other", "../rsa", "rsa' OR '1'='1", "RSA", "rsa ", ""])
def test_a_key_the_issuer_does_not_publish_is_unknown(issuer: Issuer, verify: Verify, kid: str) -> None:
    assert (
        refused(verify, issuer.sign(header(kid=kid), payload(), key="other"))
        == "the token is signed with an unknown key"
    )


@pytest.mark.parametrize("kid", [..., None, 1, ["rsa"]])
def test_a_token_names_its_key(issuer: Issuer, verify: Verify, kid: object) -> None:
    assert refused(verify, issuer.sign(header(kid=kid), payload())) == "the token does not name its key"


def test_no_critical_header_is_understood(issuer: Issuer, verify: Verify) -> None:
    listed: list[Changes] = [{"crit": ["b64"], "b64": False}, {"crit": []}]
    for critical in listed:
        described = refused(verify, issuer.sign(header(**critical), payload()))
        assert described == "the token has critical headers that are not understood"


def test_a_member_that_is_there_twice_is_ambiguous(issuer: Issuer, verify: Verify) -> None:
    twice_aud = json.dumps(payload()).replace('"aud"', '"aud": "http://evil.example", "aud"').encode()
    twice_kid = json.dumps(header()).replace('"kid"', '"kid": "other", "kid"').encode()
    twice_inside = json.dumps(payload(act={"sub": "api"})).replace('"act": {', '"act": {"sub": "x", ').encode()
    for head, body in ((header(), twice_aud), (twice_kid, payload()), (header(), twice_inside)):
        assert refused(verify, issuer.sign(head, body)) == "the token has a JSON member twice"


@pytest.mark.parametrize(
    "body",
    [b"[]", b'"text"', b"null", b"{", b"", b"\xff", b"[" * 4000, b'{"exp": NaN}', b'{"exp": Infinity}', b"1" * 5000],
)
def test_a_payload_that_is_no_json_object(issuer: Issuer, verify: Verify, body: bytes) -> None:
    refused(verify, issuer.sign(header(), body))


def test_a_token_that_was_tampered_with(issuer: Issuer, verify: Verify) -> None:
    head, body, signature = issuer.sign(header(), payload()).split(".")
    other = encoded(payload(roles=["owner"]))
    flipped = ("B" if signature[0] == "A" else "A") + signature[1:]
    for token in (f"{head}.{other}.{signature}", f"{head}.{body}.{flipped}", f"{head}.{body}.{signature[:-2]}"):
        assert refused(verify, token) == "the signature does not match"


def test_there_is_one_spelling_of_a_signature(issuer: Issuer, verify: Verify) -> None:
    token = issuer.sign(header(), payload())
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    spare_bit_set = token[:-1] + alphabet[alphabet.index(token[-1]) + 1]
    for spelling in (spare_bit_set, f"{token}==", f"{token}\n", token.replace(".", ".\n", 1), f" {token}"):
        assert refused(verify, spelling) == "the token is not base64url"


@pytest.mark.parametrize("token", ["", "opaque", "a.b", "a.b.c.d.e", "..", "a..c", "é.é.é", "a" * 8193, "." * 8000])
def test_what_is_no_token_at_all(verify: Verify, token: str) -> None:
    refused(verify, token)


def test_the_issuer_is_asked_once(issuer: Issuer, verify: Verify) -> None:
    for _ in range(5):
        verify(issuer.sign(header(), payload()))
    assert issuer.fetches == 1


def test_a_new_key_is_known_at_once(issuer: Issuer, verify: Verify) -> None:
    verify(issuer.sign(header(), payload()))
    issuer.publish("rsa", "other")
    assert verify(issuer.sign(header(kid="other"), payload(), key="other")).subject == "usr_1"


def test_a_withdrawn_key_is_believed_no_longer_than_five_minutes(issuer: Issuer, verify: Verify) -> None:
    token = issuer.sign(header(), payload())
    verify(token)
    issuer.publish("other")
    assert verify(token, at=NOW + 299).subject == "usr_1"
    assert refused(verify, token, at=NOW + 300) == "the token is signed with an unknown key"


def test_a_clock_that_is_set_back_does_not_keep_old_keys_alive(issuer: Issuer, verify: Verify) -> None:
    verify(issuer.sign(header(), payload(exp=NOW + 9000)), at=NOW + 8000)
    issuer.publish("other")
    assert refused(verify, issuer.sign(header(), payload())) == "the token is signed with an unknown key"


def test_a_flood_of_unknown_keys_stays_here(issuer: Issuer, verify: Verify) -> None:
    for number in range(50):
        refused(verify, issuer.sign(header(kid=f"k{number}"), payload()))
    assert issuer.fetches == 11
    assert verify(issuer.sign(header(), payload())).subject == "usr_1"
    issuer.publish("other")
    assert verify(issuer.sign(header(kid="other"), payload(), key="other"), at=NOW + 1).subject == "usr_1"


def test_many_at_once_fetch_once(issuer: Issuer) -> None:
    token = issuer.sign(header(), payload())

    async def burst() -> list[AccessToken]:
        async with httpx.AsyncClient(transport=httpx.MockTransport(issuer.respond)) as http:
            verifier = AccessTokenVerifier(issuer=ISSUER, audience=AUDIENCE, http=http)
            return await asyncio.gather(*(verifier.verify(token, at=NOW) for _ in range(20)))

    with start_blocking_portal() as portal:
        assert len(portal.call(burst)) == 20
    assert issuer.fetches == 1


def unreachable() -> httpx.Response:
    raise httpx.ConnectError("connection refused")


@pytest.mark.parametrize(
    "answer",
    [
        unreachable,
        lambda: httpx.Response(503),
        lambda: httpx.Response(302, headers={"Location": "https://evil.example/jwks"}),
        lambda: httpx.Response(200, text="<html>"),
        lambda: httpx.Response(200, json=[]),
        lambda: httpx.Response(200, json={"keys": {}}),
    ],
    ids=["down", "503", "redirect", "HTML", "list", "no list"],
)
def test_without_the_issuers_keys_nothing_is_said_about_the_token(
    issuer: Issuer, verify: Verify, answer: Callable[[], httpx.Response]
) -> None:
    issuer.answer = answer
    with pytest.raises(KeysUnavailable):
        verify(issuer.sign(header(), payload()))
    issuer.answer = None
    assert verify(issuer.sign(header(), payload())).subject == "usr_1"


def test_an_issuer_that_is_down_does_not_matter_while_its_keys_are_known(issuer: Issuer, verify: Verify) -> None:
    token = issuer.sign(header(), payload())
    verify(token)
    issuer.answer = unreachable
    assert verify(token).subject == "usr_1"


def test_members_of_no_use_in_a_key_set_are_passed_over(issuer: Issuer, verify: Verify) -> None:
    good = issuer.jwks["keys"][0]
    secret = {"kty": "oct", "k": "c2VjcmV0", "kid": "rsa", "alg": "HS256"}
    nonsense = [
        None,
        {},
        {"kid": "rsa"},
        {"kty": "XYZ", "kid": "rsa"},
        good | {"alg": ["RS256"]},
        good | {"use": "enc"},
        good | {"kid": 1},
        secret,
    ]
    issuer.jwks = {"keys": [*nonsense, good]}
    assert verify(issuer.sign(header(), payload())).subject == "usr_1"


def test_two_keys_of_one_name_are_no_key(issuer: Issuer, verify: Verify) -> None:
    issuer.jwks["keys"].append(published("rsa", *issuer.private["other"]))
    for key in ("rsa", "other"):
        assert refused(verify, issuer.sign(header(), payload(), key=key)) == "the token is signed with an unknown key"
