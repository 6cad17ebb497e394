"""Revocation: RFC 7009."""

from __future__ import annotations

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
    for token in ("unknown", answer["access_token"], answer["id_token"]):
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
