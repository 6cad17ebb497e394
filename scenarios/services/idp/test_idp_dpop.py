"""Proof of possession: RFC 9449."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote_plus

import httpx2 as httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from scenarios.services.idp.conftest import (
    ACCESS_TOKEN,
    ALONE,
    EXCHANGE,
    VERIFIER,
    Alone,
    Living,
    claims,
    refused,
    told,
)

FORM = {"client_id": "cli", "redirect_uri": "http://127.0.0.1:4321/callback", "code_verifier": VERIFIER}


def encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


class Key:
    """A client's key, and the proofs that are made with it."""

    def __init__(self, alone: Alone, algorithm: str = "ES256") -> None:
        made: dict[str, Any] = {
            "ES256": lambda: ec.generate_private_key(ec.SECP256R1()),
            "RS256": lambda: rsa.generate_private_key(public_exponent=65537, key_size=2048),
            "EdDSA": ed25519.Ed25519PrivateKey.generate,
        }
        self.alone, self.algorithm, self.private = alone, algorithm, made[algorithm]()
        self.jwk: dict[str, Any] = jwt.get_algorithm_by_name(algorithm).to_jwk(self.private.public_key(), as_dict=True)
        self.jwk.pop("key_ops", None)
        self.number = 0

    @property
    def thumbprint(self) -> str:
        required = {name: self.jwk[name] for name in ("crv", "e", "kty", "n", "x", "y") if name in self.jwk}
        canonical = json.dumps(required, sort_keys=True, separators=(",", ":"))
        return encoded(hashlib.sha256(canonical.encode()).digest())

    def proof(
        self, path: str = "/token", method: str = "POST", *, header: Mapping[str, Any] = {}, **changes: Any
    ) -> dict[str, str]:
        """The header with a proof; ``...`` takes a claim or header out."""
        self.number += 1
        usual = {
            "jti": f"{self.thumbprint}-{self.number}",
            "htm": method,
            "htu": f"{self.alone.at.idp}{path}",
            "iat": int(self.alone.seconds),
        }
        told = {name: value for name, value in (usual | changes).items() if value is not ...}
        head = {"typ": "dpop+jwt", "jwk": self.jwk, **header}
        head = {name: value for name, value in head.items() if value is not ...}
        return {"DPoP": jwt.encode(told, self.private, algorithm=self.algorithm, headers=head)}

    def userinfo(self, token: str, *, scheme: str = "DPoP", **changes: Any) -> httpx.Response:
        ath = encoded(hashlib.sha256(token.encode()).digest())
        proof = self.proof("/userinfo", "GET", **{"ath": ath, **changes})
        return self.alone.http.get("/userinfo", headers={"Authorization": f"{scheme} {token}", **proof})


def redeemed(alone: Alone, headers: Mapping[str, str], /, **changes: str | None) -> httpx.Response:
    code = alone.sign_in("alice", alone.asked(**changes))["code"]
    return alone.http.post("/token", data={"grant_type": "authorization_code", "code": code, **FORM}, headers=headers)


@pytest.fixture
def key(alone: Alone) -> Key:
    return Key(alone)


@pytest.mark.parametrize("algorithm", ["ES256", "RS256", "EdDSA"])
def test_a_token_is_bound_to_the_key_that_was_proven(alone: Alone, algorithm: str) -> None:
    key = Key(alone, algorithm)
    answer = redeemed(alone, key.proof()).json()
    assert answer["token_type"] == "DPoP"  # noqa: S105
    assert claims(answer["access_token"])["cnf"] == {"jkt": key.thumbprint}
    assert key.userinfo(answer["access_token"]).json()["preferred_username"] == "alice"


def test_without_a_proof_it_is_a_bearer_token_as_ever(alone: Alone, key: Key) -> None:
    answer = redeemed(alone, {}).json()
    assert answer["token_type"] == "Bearer"  # noqa: S105
    assert "cnf" not in claims(answer["access_token"])
    response = key.userinfo(answer["access_token"])
    assert response.status_code == 401
    assert response.headers["www-authenticate"].startswith('DPoP error="invalid_token"')


def test_a_bound_token_is_worth_nothing_as_a_bearer_token(alone: Alone, key: Key) -> None:
    token = redeemed(alone, key.proof()).json()["access_token"]
    response = alone.userinfo(token)
    assert response.status_code == 401
    assert response.headers["www-authenticate"] == (
        'Bearer error="invalid_token", error_description="the token is bound to a key and is no bearer token", '
        'DPoP algs="ES256 EdDSA RS256"'
    ), "RFC 9449 §7.2: whoever came by the wrong scheme is told of the right one"
    refused(alone.exchange(token), 400, "invalid_request")
    assert key.userinfo(token, scheme="Bearer").status_code == 401


def test_a_bound_token_of_too_few_scopes_is_answered_in_its_own_scheme(alone: Alone, key: Key) -> None:
    response = key.userinfo(redeemed(alone, key.proof(), scope="tickets:read").json()["access_token"])
    assert response.status_code == 403
    assert response.headers["www-authenticate"] == (
        'DPoP error="insufficient_scope", error_description="the token has no scope openid", scope="openid", '
        'algs="ES256 EdDSA RS256"'
    )


def test_nor_with_another_key_or_another_proof(alone: Alone, key: Key) -> None:
    token = redeemed(alone, key.proof()).json()["access_token"]
    other = Key(alone)
    for response, error in (
        (other.userinfo(token), "invalid_token"),
        (key.userinfo(token, ath=encoded(hashlib.sha256(b"other").digest())), "invalid_dpop_proof"),
        (key.userinfo(token, ath=...), "invalid_dpop_proof"),
        (key.userinfo(token, htm="POST"), "invalid_dpop_proof"),
        (alone.http.get("/userinfo", headers={"Authorization": f"DPoP {token}"}), "invalid_dpop_proof"),
    ):
        assert response.status_code == 401
        challenge = response.headers["www-authenticate"]
        assert challenge.startswith(f'DPoP error="{error}", error_description=')
        assert challenge.endswith('algs="ES256 EdDSA RS256"')


@pytest.mark.parametrize(
    ("header", "changes"),
    [
        ({"typ": "JWT"}, {}),
        ({"typ": ...}, {}),
        ({"jwk": ...}, {}),
        ({"jwk": "key"}, {}),
        ({"jwk": {"kty": "oct", "k": "c2VjcmV0"}}, {}),
        ({"jwk": {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}}, {}),
        ({"crit": ["b64"]}, {}),
        ({}, {"htm": "GET"}),
        ({}, {"htm": "post"}),
        ({}, {"htm": ...}),
        ({}, {"htu": f"{ALONE.idp}/userinfo"}),
        ({}, {"htu": "http://evil.example/token"}),
        ({}, {"htu": "http://[/token"}),
        ({}, {"htu": ...}),
        ({}, {"iat": ...}),
        ({}, {"iat": "now"}),
        ({}, {"iat": 1}),
        ({}, {"iat": 4_000_000_000}),
        ({}, {"jti": ...}),
        ({}, {"jti": 7}),
    ],
)
def test_a_proof_that_does_not_hold_is_refused_and_costs_nothing(
    alone: Alone, key: Key, header: dict[str, Any], changes: dict[str, Any]
) -> None:
    form = {"grant_type": "authorization_code", "code": alone.sign_in()["code"], **FORM}
    response = alone.http.post("/token", data=form, headers=key.proof(header=header, **changes))
    assert "DPoP" in refused(response, 400, "invalid_dpop_proof")
    assert alone.http.post("/token", data=form, headers=key.proof()).status_code == 200


def test_a_key_has_one_spelling_and_one_thumbprint(alone: Alone, key: Key) -> None:
    """RFC 7638 hashes what is written, and decoders take padding, spare bits and leading zeros for nothing."""
    rsa_key = Key(alone, "RS256")
    for signer, jwk in (
        (key, key.jwk | {"x": key.jwk["x"] + "="}),
        (key, key.jwk | {"x": key.jwk["x"] + "\n"}),
        (key, key.jwk | {"x": key.jwk["x"][:-1] + _next(key.jwk["x"][-1])}),
        (rsa_key, rsa_key.jwk | {"e": "AAEAAQ"}),
    ):
        refused(redeemed(alone, signer.proof(header={"jwk": jwk})), 400, "invalid_dpop_proof")


def _next(character: str) -> str:
    """Another letter of base64url that differs in a bit which the last of 43 does not carry."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return alphabet[alphabet.index(character) ^ 1]


@pytest.mark.parametrize(
    "jwk",
    [
        {},
        {"kty": ["EC"]},
        {"kty": "RSA", "n": 5, "e": "AQAB"},
        {"kty": "RSA", "n": "w" + "_" * 170, "e": "AQAB"},
        {"kty": "RSA", "n": "w" + "_" * 3000, "e": "AQAB"},
        {"kty": "RSA", "n": "", "e": ""},
        {"kty": "EC", "crv": "P-256", "x": 7, "y": None},
        {"kty": "EC", "crv": ["P-256"], "x": "AA", "y": "AA"},
        {"kty": "OKP", "crv": "Ed25519", "x": "AA"},
        {"kty": "OKP", "crv": "X25519", "x": "A" * 43},
    ],
)
def test_what_is_no_key_is_refused(alone: Alone, key: Key, jwk: dict[str, Any]) -> None:
    refused(redeemed(alone, key.proof(header={"jwk": jwk})), 400, "invalid_dpop_proof")


def test_bytes_that_are_no_text_are_refused(alone: Alone) -> None:
    form = {"grant_type": "authorization_code", "code": alone.sign_in()["code"], **FORM}
    response = alone.http.post("/token", data=form, headers=[(b"DPoP", b"\xff\xfe.\x80.\xe9")])
    refused(response, 400, "invalid_dpop_proof")


def test_a_private_key_in_a_proof_is_refused(alone: Alone, key: Key) -> None:
    private = jwt.get_algorithm_by_name("ES256").to_jwk(key.private, as_dict=True)
    refused(redeemed(alone, key.proof(header={"jwk": private})), 400, "invalid_dpop_proof")


def test_garbage_and_two_proofs_are_refused(alone: Alone, key: Key) -> None:
    refused(redeemed(alone, {"DPoP": "garbage"}), 400, "invalid_dpop_proof")
    form = {"grant_type": "authorization_code", "code": alone.sign_in()["code"], **FORM}
    twice = [*key.proof().items(), *key.proof().items()]
    refused(alone.http.post("/token", data=form, headers=twice), 400, "invalid_dpop_proof")


def test_a_proof_is_good_once(alone: Alone, key: Key) -> None:
    proof = key.proof()
    assert redeemed(alone, proof).status_code == 200
    assert "used before" in refused(redeemed(alone, proof), 400, "invalid_dpop_proof")


@pytest.mark.parametrize(
    "address",
    [
        "HTTP://LOCALHOST:41/token",
        f"{ALONE.idp}/token?x=1",
        f"{ALONE.idp}/token#fragment",
        f"{ALONE.idp}/%74oken",
    ],
)
def test_an_address_is_compared_as_an_address(alone: Alone, key: Key, address: str) -> None:
    assert redeemed(alone, key.proof(htu=address)).status_code == 200


def test_a_proof_may_be_a_little_old_or_early(alone: Alone, key: Key) -> None:
    for shift, status in ((-299, 200), (-301, 400), (60, 200), (62, 400)):
        assert redeemed(alone, key.proof(iat=int(alone.seconds) + shift)).status_code == status


def test_a_public_clients_refresh_token_is_bound_as_well(alone: Alone, key: Key) -> None:
    token = redeemed(alone, key.proof()).json()["refresh_token"]
    form = {"grant_type": "refresh_token", "client_id": "cli", "refresh_token": token}
    for headers in ({}, Key(alone).proof()):
        assert "another key" in refused(alone.http.post("/token", data=form, headers=headers), 400, "invalid_grant")
    renewed = alone.http.post("/token", data=form, headers=key.proof()).json()
    assert claims(renewed["access_token"])["cnf"] == {"jkt": key.thumbprint}


def test_a_code_can_be_bound_beforehand(alone: Alone, key: Key) -> None:
    for headers in ({}, Key(alone).proof()):
        refused(redeemed(alone, headers, dpop_jkt=key.thumbprint), 400, "invalid_grant")
    assert redeemed(alone, key.proof(), dpop_jkt=key.thumbprint).status_code == 200
    assert told(alone.authorize(alone.asked(dpop_jkt="no thumbprint")))["error"] == "invalid_request"


def test_a_pushed_request_with_a_proof_binds_the_code(alone: Alone, key: Key) -> None:
    answer = alone.post("/par", alone.asked(), headers=key.proof("/par")).json()
    begun = alone.authorize({"client_id": "cli", "request_uri": answer["request_uri"]})
    form = {"grant_type": "authorization_code", "code": told(alone.pick("alice", begun))["code"], **FORM}
    refused(alone.http.post("/token", data=form, headers=Key(alone).proof()), 400, "invalid_grant")
    other = alone.post("/par", alone.asked(dpop_jkt=Key(alone).thumbprint), headers=key.proof("/par"))
    assert "dpop_jkt" in refused(other, 400, "invalid_request")


def test_a_client_that_wants_no_bearer_tokens_gets_none(alone: Alone, key: Key) -> None:
    clients = alone.provider.registry.clients
    clients.put("cli", clients["cli"].model_copy(update={"dpop_bound": True}))
    refused(redeemed(alone, {}), 400, "invalid_dpop_proof")
    assert redeemed(alone, key.proof()).json()["token_type"] == "DPoP"  # noqa: S105


def test_a_service_binds_its_own_token_and_the_one_it_exchanges(alone: Alone, key: Key) -> None:
    mine = alone.http.post(
        "/token",
        data={"grant_type": "client_credentials", "scope": "users:write"},
        auth=("organizations", alone.organizations_secret),
        headers=key.proof(),
    ).json()
    assert claims(mine["access_token"])["cnf"] == {"jkt": key.thumbprint}
    form = {"grant_type": EXCHANGE, "subject_token_type": ACCESS_TOKEN, "resource": alone.at.ticketing}
    form["subject_token"] = redeemed(alone, {}).json()["access_token"]
    service = ("api", quote_plus(alone.api_secret))
    exchanged = alone.http.post("/token", data=form, auth=service, headers=key.proof()).json()
    assert (exchanged["token_type"], claims(exchanged["access_token"])["cnf"]) == ("DPoP", {"jkt": key.thumbprint})


def test_introspection_and_revocation_know_bound_tokens(alone: Alone, key: Key) -> None:
    token = redeemed(alone, key.proof()).json()["access_token"]
    asked = {"token": token}
    told_of = alone.http.post("/introspect", data=asked, auth=("api", quote_plus(alone.api_secret))).json()
    assert (told_of["active"], told_of["token_type"], told_of["cnf"]) == (True, "DPoP", {"jkt": key.thumbprint})
    assert alone.revoke(token).status_code == 200
    assert key.userinfo(token).status_code == 401


def test_a_nonce_can_be_demanded(living: Living, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DPOP_NONCE_SECONDS", "60")
    with living() as alone:
        key = Key(alone)
        asked = redeemed(alone, key.proof())
        refused(asked, 400, "use_dpop_nonce")
        nonce = asked.headers["dpop-nonce"]
        token = redeemed(alone, key.proof(nonce=nonce)).json()["access_token"]
        response = key.userinfo(token)
        assert (response.status_code, response.headers["dpop-nonce"]) == (401, nonce)
        assert 'error="use_dpop_nonce"' in response.headers["www-authenticate"]
        assert key.userinfo(token, nonce=nonce).status_code == 200
        alone.seconds += 121
        assert redeemed(alone, key.proof(nonce=nonce)).json()["error"] == "use_dpop_nonce"


def test_the_metadata_name_the_algorithms(alone: Alone) -> None:
    metadata = alone.http.get("/.well-known/openid-configuration").json()
    assert metadata["dpop_signing_alg_values_supported"] == ["ES256", "EdDSA", "RS256"]
    assert EXCHANGE in metadata["grant_types_supported"]


def test_the_directory_takes_a_bound_token_with_its_key_only(alone: Alone) -> None:
    key, secret = Key(alone), ("organizations", quote_plus(alone.organizations_secret))
    form = {"grant_type": "client_credentials", "scope": "users:read"}
    token = alone.post("/token", form, auth=secret, headers=key.proof()).json()["access_token"]
    stolen = alone.http.get("/scim/v2/Users", headers={"Authorization": f"Bearer {token}"})
    assert (stolen.status_code, stolen.headers["content-type"]) == (401, "application/scim+json")
    bound = key.proof("/scim/v2/Users", "GET", ath=encoded(hashlib.sha256(token.encode()).digest()))
    answer = alone.http.get("/scim/v2/Users", headers={"Authorization": f"DPoP {token}"} | bound)
    assert (answer.status_code, answer.json().get("totalResults")) == (200, 76)
