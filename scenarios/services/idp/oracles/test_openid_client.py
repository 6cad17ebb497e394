"""openid-client (Node.js), the strictest client there is, against the running provider."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from joserfc import jwk

from scenarios.services.idp.conftest import ACCESS_TOKEN, claims
from scenarios.services.idp.oracles.conftest import NATIVE, Oracle, perform

if TYPE_CHECKING:
    from harness.stack import Stack

REFUSED_BY_THE_PROVIDER = "OAUTH_RESPONSE_BODY_ERROR"


@pytest.fixture
def oracle(javascript: None) -> Oracle:
    return partial(perform, "openid-client.mjs")


@pytest.fixture
def ticketing(shared_stack: Stack) -> str:
    return shared_stack.audience("ticketing")


def test_it_signs_in_and_verifies_the_id_token_and_userinfo(oracle: Oracle, as_cli: dict[str, str]) -> None:
    answer = oracle("sign_in", as_cli)
    assert answer["tokens"].keys() == {
        "access_token", "token_type", "expires_in", "scope", "refresh_token", "id_token",
    }  # fmt: skip
    assert set(answer["tokens"]["scope"].split()) == set(as_cli["scope"].split())
    assert (answer["claims"]["iss"], answer["claims"]["aud"]) == (as_cli["issuer"], as_cli["client_id"])
    assert answer["userinfo"]["sub"] == answer["claims"]["sub"]
    assert answer["userinfo"]["preferred_username"] == as_cli["username"]


def test_it_renews_and_a_token_used_twice_ends_the_family(oracle: Oracle, as_cli: dict[str, str]) -> None:
    answer = oracle("refresh", as_cli)
    assert len(set(answer["refresh_tokens"])) == 3
    for refused in (answer["reused"], answer["afterwards"]):
        assert (refused["code"], refused["error"]) == (REFUSED_BY_THE_PROVIDER, "invalid_grant")


def test_what_it_revokes_is_worth_nothing(oracle: Oracle, as_cli: dict[str, str]) -> None:
    refused = oracle("revoke", as_cli)["refused"]
    assert (refused["code"], refused["error"]) == (REFUSED_BY_THE_PROVIDER, "invalid_grant")


@pytest.mark.parametrize(
    ("parameter", "value", "cause"),
    [
        ("iss", "http://localhost:1", 'unexpected "iss" (issuer) response parameter value'),
        ("iss", None, 'response parameter "iss" (issuer) missing'),
        ("state", "another", 'unexpected "state" response parameter value'),
    ],
)
def test_it_has_what_it_needs_to_notice_a_mix_up(
    oracle: Oracle, as_cli: dict[str, str], parameter: str, value: str | None, cause: str
) -> None:
    refused = oracle("tampered", {**as_cli, "parameter": parameter, "value": value})["refused"]
    assert (refused["code"], refused["cause"]) == ("OAUTH_INVALID_RESPONSE", cause)


def test_it_finds_its_nonce_in_the_id_token(oracle: Oracle, as_cli: dict[str, str]) -> None:
    refused = oracle("other_nonce", as_cli)["refused"]
    assert refused["cause"] == 'unexpected ID Token "nonce" claim value'


def test_a_service_gets_a_token_for_itself(
    oracle: Oracle, as_cli: dict[str, str], service: dict[str, str], ticketing: str
) -> None:
    asked = {"issuer": as_cli["issuer"], **service, "resource": ticketing, "scope": "tickets:read"}
    tokens = oracle("client_credentials", asked)["tokens"]
    told = claims(tokens["access_token"])
    assert (told["sub"], told["aud"], told["scope"]) == (service["client_id"], ticketing, "tickets:read")
    assert not tokens.keys() & {"refresh_token", "id_token"}


@pytest.mark.parametrize("method", ["client_secret_post", "private_key_jwt"])
def test_a_service_proves_itself_in_other_ways(
    oracle: Oracle, as_cli: dict[str, str], shared_stack: Stack, ticketing: str, method: str
) -> None:
    key = jwk.ECKey.generate_key("P-256", {"alg": "ES256", "use": "sig"}, auto_kid=True)
    proofs: dict[str, dict[str, Any]] = {
        "client_secret_post": {"secret": "a secret: + and %"},
        "private_key_jwt": {"jwks": {"keys": [key.as_dict(private=False)]}},
    }
    told = {"client_id": f"oracle-{method}", "grants": ["client_credentials"], "resources": [ticketing]}
    control = shared_stack.control("idp")
    control.put_client(**told, auth_method=method, **proofs[method])
    try:
        own = {"secret": proofs[method].get("secret"), "key": key.as_dict(private=True)}
        asked = {"issuer": as_cli["issuer"], "client_id": told["client_id"], "method": method, "resource": ticketing}
        tokens = oracle("client_credentials", asked | own | {"scope": "tickets:read"})["tokens"]
    finally:
        control.drop_client(told["client_id"])
    assert claims(tokens["access_token"])["client_id"] == told["client_id"]


def test_a_service_with_another_secret_gets_none(
    oracle: Oracle, as_cli: dict[str, str], service: dict[str, str], ticketing: str
) -> None:
    asked = {"issuer": as_cli["issuer"], **service, "secret": "another", "resource": ticketing}
    refused = oracle("wrong_secret", asked)["refused"]
    # By RFC 6749 §5.2 the answer challenges for HTTP Basic, and the client reads it so.
    assert refused["code"] == "OAUTH_WWW_AUTHENTICATE_CHALLENGE"


def test_a_service_exchanges_the_token_it_was_called_with(
    oracle: Oracle, as_cli: dict[str, str], service: dict[str, str], ticketing: str
) -> None:
    answer = oracle("exchange", {**as_cli, "service": service, "target": ticketing})
    subject, told = claims(answer["subject"]["access_token"]), claims(answer["tokens"]["access_token"])
    assert (told["sub"], told["aud"], told["act"]) == (subject["sub"], ticketing, {"sub": service["client_id"]})
    assert answer["tokens"]["issued_token_type"] == ACCESS_TOKEN
    assert "refresh_token" not in answer["tokens"]


def test_a_service_sees_a_token_end_when_it_is_revoked(
    oracle: Oracle, as_cli: dict[str, str], service: dict[str, str], offers: Callable[[str], None]
) -> None:
    offers("introspection_endpoint")
    answer = oracle("introspect", {**as_cli, "service": service})
    assert (answer["before"]["active"], answer["before"]["client_id"]) == (True, "cli")
    assert answer["after"] == {"active": False}


def test_it_pushes_its_request_and_shows_the_browser_none_of_it(
    oracle: Oracle, as_cli: dict[str, str], offers: Callable[[str], None]
) -> None:
    offers("pushed_authorization_request_endpoint")
    answer = oracle("push", as_cli)
    assert sorted(answer["parameters"]) == ["client_id", "request_uri"]
    assert answer["claims"]["aud"] == "cli"


def test_it_gets_tokens_that_are_worth_nothing_without_its_key(
    oracle: Oracle, as_cli: dict[str, str], offers: Callable[[str], None]
) -> None:
    offers("dpop_signing_alg_values_supported")
    answer = oracle("prove_possession", as_cli)
    assert answer["tokens"]["token_type"].lower() == "dpop"
    assert claims(answer["tokens"]["access_token"])["cnf"] == claims(answer["renewed"]["access_token"])["cnf"]
    assert answer["userinfo"]["preferred_username"] == "alice"
    assert answer["stolen"]["code"] == "OAUTH_WWW_AUTHENTICATE_CHALLENGE"


def test_somebody_lets_its_device_in(oracle: Oracle, as_cli: dict[str, str], offers: Callable[[str], None]) -> None:
    offers("device_authorization_endpoint")
    answer = oracle("device", as_cli)
    assert answer["begun"]["verification_uri"].startswith(as_cli["issuer"])
    assert answer["claims"]["preferred_username"] == "alice"
    assert claims(answer["tokens"]["access_token"])["client_id"] == "cli"


def test_it_registers_itself_and_signs_in(
    oracle: Oracle, as_cli: dict[str, str], offers: Callable[[str], None]
) -> None:
    offers("registration_endpoint")
    metadata = {"client_name": "An oracle", "redirect_uris": [NATIVE], "token_endpoint_auth_method": "none"}
    answer = oracle("register", {**as_cli, "metadata": metadata})
    assert answer["claims"]["aud"] == answer["client"]["client_id"]
