"""The refresh token grant: RFC 6749 §6, rotation and reuse detection of RFC 9700 §4.14.2, OIDC Core §12."""

from __future__ import annotations

import pytest

from scenarios.services.idp.conftest import EVERYTHING, Alone, Client, claims, refused


def test_every_refresh_gives_the_next_token(idp: Client) -> None:
    first = idp.tokens()
    second = idp.refresh(first["refresh_token"])
    assert second.headers["cache-control"] == "no-store"
    third = idp.refresh(second.json()["refresh_token"])
    assert third.status_code == 200
    assert len({answer["refresh_token"] for answer in (first, second.json(), third.json())}) == 3
    assert claims(third.json()["access_token"])["aud"] == idp.at.api


def test_an_old_token_is_taken_for_stolen_and_ends_the_family(idp: Client) -> None:
    stolen = idp.tokens()["refresh_token"]
    renewed = idp.refresh(stolen).json()
    refused(idp.refresh(stolen), 400, "invalid_grant")
    refused(idp.refresh(renewed["refresh_token"]), 400, "invalid_grant")
    assert idp.userinfo(renewed["access_token"]).status_code == 401


def test_one_family_does_not_answer_for_another(idp: Client) -> None:
    mine, other = idp.tokens(), idp.tokens()
    idp.refresh(mine["refresh_token"])
    refused(idp.refresh(mine["refresh_token"]), 400, "invalid_grant")
    assert idp.refresh(other["refresh_token"]).status_code == 200


def test_the_renewed_id_token_tells_of_the_same_sign_in(alone: Alone) -> None:
    first = alone.tokens()
    alone.seconds += 300
    before, after = claims(first["id_token"]), claims(alone.refresh(first["refresh_token"]).json()["id_token"])
    assert {name: after[name] for name in ("iss", "sub", "aud", "auth_time", "sid")} == {
        name: before[name] for name in ("iss", "sub", "aud", "auth_time", "sid")
    }
    assert after["iat"] == before["iat"] + 300
    assert "nonce" not in after


def test_fewer_scopes_may_be_asked_for_one_token(idp: Client) -> None:
    narrow = idp.refresh(idp.tokens()["refresh_token"], scope="tickets:read").json()
    assert (narrow["scope"], "id_token" in narrow) == ("tickets:read", False)
    wide = idp.refresh(narrow["refresh_token"]).json()
    assert set(wide["scope"].split()) == set(EVERYTHING.split())


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"scope": "tickets:read tickets:delete"}, "invalid_scope"),
        ({"resource": "http://localhost:1"}, "invalid_target"),
        ({"client_id": "ui"}, "invalid_grant"),
        ({"refresh_token": "made-up"}, "invalid_grant"),
        ({"refresh_token": None}, "invalid_request"),
    ],
)
def test_what_is_refused_for_another_reason_does_not_cost_the_token(
    idp: Client, changes: dict[str, str | None], error: str
) -> None:
    token = idp.tokens()["refresh_token"]
    refused(idp.refresh(token, **changes), 400, error)
    assert idp.refresh(token).status_code == 200


def test_renewing_does_not_prolong_the_family(alone: Alone) -> None:
    token = alone.tokens()["refresh_token"]
    alone.seconds += 29 * 24 * 3600
    token = alone.refresh(token).json()["refresh_token"]
    alone.seconds += 2 * 24 * 3600
    refused(alone.refresh(token), 400, "invalid_grant")


def test_a_code_is_no_refresh_token_and_an_access_token_is_neither(idp: Client) -> None:
    answer = idp.tokens()
    refused(idp.refresh(answer["access_token"]), 400, "invalid_grant")
    refused(idp.redeem(answer["refresh_token"]), 400, "invalid_grant")
