"""The authorization code grant: RFC 6749 §4.1.3, §5.1 and the tokens it yields (RFC 9068, OIDC Core §2)."""

from __future__ import annotations

import base64
import hashlib

import pytest

from scenarios.services.idp.conftest import EVERYTHING, Alone, Client, claims, refused, told


def test_a_code_yields_tokens_for_the_person_and_the_resource(idp: Client) -> None:
    response = idp.redeem(idp.sign_in("alice")["code"])
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["pragma"] == "no-cache"
    answer = response.json()
    assert answer.keys() == {"access_token", "token_type", "expires_in", "scope", "refresh_token", "id_token"}
    assert (answer["token_type"], answer["expires_in"]) == ("Bearer", 600)
    assert set(answer["scope"].split()) == set(EVERYTHING.split())
    told = claims(answer["access_token"])
    assert told.keys() == {
        "iss", "sub", "aud", "exp", "iat", "nbf", "jti", "client_id", "scope", "org_id", "roles",
    }  # fmt: skip
    assert (told["iss"], told["aud"], told["client_id"]) == (idp.at.idp, idp.at.api, "cli")
    assert told["roles"] == ["agent"]
    assert told["exp"] - told["iat"] == 600
    assert "offline_access" not in told["scope"]


def test_the_id_token_is_for_the_client_and_belongs_to_the_access_token(idp: Client) -> None:
    answer = idp.tokens("alice")
    told = claims(answer["id_token"])
    assert told.keys() == {
        "iss", "sub", "aud", "exp", "iat", "auth_time", "sid", "nonce", "at_hash",
        "name", "preferred_username", "email", "email_verified", "org_id",
    }  # fmt: skip
    assert (told["iss"], told["aud"], told["nonce"]) == (idp.at.idp, "cli", "the nonce")
    assert (told["name"], told["preferred_username"]) == ("Alice Anders", "alice")
    half = hashlib.sha256(answer["access_token"].encode()).digest()[:16]
    assert told["at_hash"] == base64.urlsafe_b64encode(half).rstrip(b"=").decode()
    assert told["sub"] == claims(answer["access_token"])["sub"]


def test_without_openid_there_is_no_id_token_and_without_offline_access_no_refresh_token(idp: Client) -> None:
    answer = idp.tokens(scope="tickets:read")
    assert (answer["scope"], "id_token" in answer, "refresh_token" in answer) == ("tickets:read", False, False)


def test_a_request_that_names_no_scope_gets_what_the_resource_understands(idp: Client) -> None:
    answer = idp.tokens(scope=None, resource=idp.at.organizations)
    assert answer["scope"] == "orgs:read orgs:write"


def test_scopes_that_mean_nothing_at_the_resource_are_left_out_and_the_answer_says_so(idp: Client) -> None:
    assert (
        idp.tokens(scope="openid tickets:read orgs:read", resource=idp.at.ticketing)["scope"] == "openid tickets:read"
    )


def test_scopes_that_all_mean_nothing_are_refused(idp: Client) -> None:
    answer = told(idp.authorize(idp.asked(scope="orgs:read", resource=idp.at.ticketing)))
    assert answer["error"] == "invalid_scope"


def test_a_code_used_twice_takes_everything_with_it(idp: Client) -> None:
    code = idp.sign_in()["code"]
    answer = idp.redeem(code).json()
    assert idp.userinfo(answer["access_token"]).status_code == 200
    refused(idp.redeem(code), 400, "invalid_grant")
    refused(idp.refresh(answer["refresh_token"]), 400, "invalid_grant")
    assert idp.userinfo(answer["access_token"]).status_code == 401


def test_a_replay_revokes_also_what_was_exchanged_meanwhile(alone: Alone) -> None:
    code = alone.sign_in()["code"]
    access_token = alone.redeem(code).json()["access_token"]
    assert alone.exchange(access_token).status_code == 200
    refused(alone.redeem(code), 400, "invalid_grant")
    refused(alone.exchange(access_token), 400, "invalid_request")


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"redirect_uri": "http://127.0.0.1:1/callback"}, "invalid_grant"),
        ({"redirect_uri": "http://127.0.0.1/callback"}, "invalid_grant"),
        ({"redirect_uri": None}, "invalid_request"),
        ({"client_id": "ui"}, "invalid_grant"),
        ({"code": "made-up"}, "invalid_grant"),
        ({"code": None}, "invalid_request"),
        ({"resource": "http://localhost:1"}, "invalid_target"),
    ],
)
def test_a_code_is_bound_to_its_request(idp: Client, changes: dict[str, str | None], error: str) -> None:
    code = idp.sign_in()["code"]
    refused(idp.redeem(code, **changes), 400, error)


def test_a_code_lives_for_a_minute(alone: Alone) -> None:
    in_time, late = alone.sign_in()["code"], alone.sign_in()["code"]
    alone.seconds += 59
    assert alone.redeem(in_time).status_code == 200
    alone.seconds += 1
    refused(alone.redeem(late), 400, "invalid_grant")
