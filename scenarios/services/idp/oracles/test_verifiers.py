"""Tokens of the running provider in the eyes of verifiers that other people wrote, with nothing but its JWKS."""

from __future__ import annotations

import json
import urllib.request
from typing import Any

import jwt
import pytest
from joserfc import jwk
from joserfc import jwt as jose
from joserfc.errors import BadSignatureError, InvalidClaimError
from joserfc.jwt import JWTClaimsRegistry

from scenarios.services.idp.conftest import Client

REQUIRED = ("iss", "sub", "aud", "exp", "iat", "jti", "client_id")
"""RFC 9068 §2.2."""


@pytest.fixture
def keys(idp: Client) -> jwk.KeySet:
    return jwk.KeySet.import_key_set(idp.http.get("/jwks").json())


def test_pyjwts_key_client_finds_the_key_of_an_access_token(idp: Client) -> None:
    token = idp.tokens()["access_token"]
    key = jwt.PyJWKClient(f"{idp.at.idp}/jwks").get_signing_key_from_jwt(token)
    claims = jwt.decode(
        token, key, algorithms=["RS256"], audience=idp.at.api, issuer=idp.at.idp, options={"require": list(REQUIRED)}
    )
    assert claims["client_id"] == "cli"


def test_joserfc_takes_the_access_token_for_one_of_rfc_9068(idp: Client, keys: jwk.KeySet) -> None:
    token = jose.decode(idp.tokens()["access_token"], keys, algorithms=["RS256"])
    assert token.header.keys() == {"alg", "kid", "typ"}
    assert token.header["typ"] == "at+jwt"
    rules: dict[str, Any] = {name: {"essential": True} for name in REQUIRED}
    rules |= {"iss": {"essential": True, "value": idp.at.idp}, "aud": {"essential": True, "value": idp.at.api}}
    JWTClaimsRegistry(**rules).validate(token.claims)


def test_joserfc_takes_the_id_token_for_one_of_openid_connect(idp: Client, keys: jwk.KeySet) -> None:
    token = jose.decode(idp.tokens()["id_token"], keys, algorithms=["RS256"])
    rules = JWTClaimsRegistry(
        iss={"essential": True, "value": idp.at.idp},
        sub={"essential": True},
        aud={"essential": True, "value": "cli"},
        exp={"essential": True},
        iat={"essential": True},
        nonce={"essential": True, "value": "the nonce"},
    )
    rules.validate(token.claims)
    with pytest.raises(InvalidClaimError):
        JWTClaimsRegistry(aud={"essential": True, "value": idp.at.api}).validate(token.claims)


def test_joserfc_refuses_a_token_that_was_changed(idp: Client, keys: jwk.KeySet) -> None:
    header, _, signature = idp.tokens()["access_token"].split(".")
    other = idp.tokens("rita")["access_token"].split(".")[1]
    with pytest.raises(BadSignatureError):
        jose.decode(f"{header}.{other}.{signature}", keys, algorithms=["RS256"])


def test_the_published_keys_are_public(idp: Client, keys: jwk.KeySet) -> None:
    with urllib.request.urlopen(f"{idp.at.idp}/jwks") as answer:  # noqa: S310  # http, to this machine
        published = json.load(answer)["keys"]
    assert published
    assert [key for key in published if key.keys() & {"d", "p", "q", "dp", "dq", "qi", "k"}] == []
    assert [key.kid for key in keys.keys] == [key.thumbprint() for key in keys.keys]
