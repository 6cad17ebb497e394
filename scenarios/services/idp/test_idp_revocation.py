"""Revocation: RFC 7009."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote_plus

from scenarios.services.idp.conftest import Alone, Client, refused


def test_a_refresh_token_goes_with_all_its_family(idp: Client) -> None:
    first = idp.tokens()
    second = idp.refresh(first["refresh_token"]).json()
    assert idp.revoke(second["refresh_token"]).status_code == 200
    refused(idp.refresh(second["refresh_token"]), 400, "invalid_grant")
    assert idp.userinfo(first["access_token"]).status_code == 401
    assert idp.userinfo(second["access_token"]).status_code == 401


def test_an_access_token_goes_alone(idp: Client) -> None:
    answer = idp.tokens()
    assert idp.revoke(answer["access_token"]).status_code == 200
    assert idp.userinfo(answer["access_token"]).status_code == 401
    renewed = idp.refresh(answer["refresh_token"])
    assert idp.userinfo(renewed.json()["access_token"]).status_code == 200


def test_the_hint_may_be_wrong_or_unknown(idp: Client) -> None:
    for hint in ("access_token", "something"):
        answer = idp.tokens()
        form = {"client_id": "cli", "token": answer["refresh_token"], "token_type_hint": hint}
        assert idp.post("/revoke", form).status_code == 200
        refused(idp.refresh(answer["refresh_token"]), 400, "invalid_grant")


def test_what_is_not_valid_anyway_is_no_error(alone: Alone) -> None:
    answer = alone.tokens()
    alone.seconds += 600
    for token in ("unknown", answer["access_token"]):
        assert alone.revoke(token).status_code == 200
    assert alone.revoke(answer["refresh_token"]).status_code == 200
    assert alone.revoke(answer["refresh_token"]).status_code == 200


def test_nobody_revokes_what_is_anothers(idp: Client) -> None:
    answer = idp.tokens()
    refused(idp.revoke(answer["access_token"], client_id="ui"), 400, "invalid_grant")
    refused(idp.revoke(answer["refresh_token"], client_id="ui"), 400, "invalid_grant")
    assert idp.userinfo(answer["access_token"]).status_code == 200
    assert idp.refresh(answer["refresh_token"]).status_code == 200


def test_the_client_must_be_known_and_name_a_token(idp: Client) -> None:
    refused(idp.post("/revoke", {"token": "x"}), 401, "invalid_client")
    refused(idp.post("/revoke", {"client_id": "cli"}), 400, "invalid_request")


def test_signing_out_as_the_web_interface_does(idp: Client) -> None:
    answer = idp.ui_tokens()
    origin = {"Origin": idp.at.ui}
    for kind in ("refresh_token", "access_token"):
        form = {"client_id": "ui", "token": answer[kind], "token_type_hint": kind}
        response = idp.post("/revoke", form, headers=origin)
        assert response.status_code == 200
        assert response.headers["access-control-allow-origin"] == idp.at.ui


def lives(alone: Alone, login: dict[str, Any], exchanged: str) -> set[str]:
    """Who still believes what came from a login."""
    answers = {
        "userinfo": alone.userinfo(login["access_token"]).status_code == 200,
        "introspection": alone.introspect(login["access_token"]).json()["active"],
        "introspection of the exchanged": alone.introspect(exchanged).json()["active"],
        "exchange": alone.exchange(login["access_token"]).status_code == 200,
    }
    return {name for name, good in answers.items() if good}


EVERYBODY = {"userinfo", "introspection", "introspection of the exchanged", "exchange"}


def test_what_came_from_a_login_goes_with_it(alone: Alone) -> None:
    login, other = alone.tokens(), alone.tokens()
    exchanged, spared = (alone.exchange(each["access_token"]).json()["access_token"] for each in (login, other))
    assert lives(alone, login, exchanged) == EVERYBODY
    assert alone.revoke(login["refresh_token"]).status_code == 200
    assert lives(alone, login, exchanged) == set()
    assert lives(alone, other, spared) == EVERYBODY


def test_what_an_access_token_was_exchanged_for_goes_with_it(alone: Alone) -> None:
    login = alone.tokens()
    exchanged = alone.exchange(login["access_token"]).json()["access_token"]
    assert alone.revoke(login["access_token"]).status_code == 200
    assert lives(alone, login, exchanged) == set()
    renewed = alone.refresh(login["refresh_token"]).json()
    assert lives(alone, renewed, alone.exchange(renewed["access_token"]).json()["access_token"]) == EVERYBODY


def test_an_exchanged_token_goes_without_the_one_it_came_from(alone: Alone) -> None:
    login = alone.tokens()
    exchanged = alone.exchange(login["access_token"]).json()["access_token"]
    refused(alone.revoke(exchanged), 400, "invalid_grant")
    assert alone.post("/revoke", {"token": exchanged}, auth=("api", quote_plus(alone.api_secret))).status_code == 200
    assert lives(alone, login, exchanged) == EVERYBODY - {"introspection of the exchanged"}


def test_a_refresh_token_that_was_renewed_still_ends_the_login(alone: Alone) -> None:
    login = alone.tokens()
    renewed = alone.refresh(login["refresh_token"]).json()
    assert alone.revoke(login["refresh_token"]).status_code == 200
    refused(alone.refresh(renewed["refresh_token"]), 400, "invalid_grant")
    assert alone.userinfo(renewed["access_token"]).status_code == 401


def test_an_id_token_cannot_be_taken_back(alone: Alone) -> None:
    id_token = alone.tokens()["id_token"]
    refused(alone.revoke(id_token), 400, "unsupported_token_type")
    header, payload, _ = id_token.split(".")
    assert alone.revoke(f"{header}.{payload}.{'A' * 342}").status_code == 200


def test_a_token_of_another_tenant_is_not_known(alone: Alone) -> None:
    answer = alone.tokens()
    for kind in ("access_token", "refresh_token"):
        form = {"client_id": "cli", "token": answer[kind]}
        assert alone.post("/t/partner/revoke", form).status_code == 200
    assert alone.userinfo(answer["access_token"]).status_code == 200
    assert alone.refresh(answer["refresh_token"]).status_code == 200


def test_who_authenticates_must_prove_it_here_too(alone: Alone) -> None:
    response = alone.post("/revoke", {"client_id": "api", "token": "x"})
    refused(response, 401, "invalid_client")
    assert response.headers["www-authenticate"].startswith("Basic realm=")
