"""What a resource server believes: RFC 9068 §4 and RFC 8725, case by case."""

from __future__ import annotations

import base64
import hmac
import json

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from scenarios.services.idp.access_tokens.conftest import (
    AUDIENCE,
    ISSUER,
    NOW,
    Changes,
    Issuer,
    Verify,
    encoded,
    header,
    payload,
    published,
    refused,
)


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
