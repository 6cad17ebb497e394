"""openid-client (Node.js), the strictest client there is, against the running provider."""

from __future__ import annotations

from functools import partial

import pytest

from scenarios.services.idp.oracles.conftest import Oracle, perform

REFUSED_BY_THE_PROVIDER = "OAUTH_RESPONSE_BODY_ERROR"


@pytest.fixture
def oracle(javascript: None) -> Oracle:
    return partial(perform, "openid-client.mjs")


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
