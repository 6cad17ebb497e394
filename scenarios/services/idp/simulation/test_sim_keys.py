"""The life of a signing key, step by step: published, active, retired, hidden."""

from __future__ import annotations

from typing import Any

from scenarios.services.idp.conftest import Alone, Ask, claims


def keys(ask: Ask) -> dict[str, dict[str, Any]]:
    return {key["kid"]: key for key in ask("GET", "/keys").json()["keys"]}


def published(alone: Alone) -> set[str]:
    return {key["kid"] for key in alone.http.get("/jwks").json()["keys"]}


def test_a_published_key_can_be_fetched_before_it_signs(ask: Ask, alone: Alone) -> None:
    (first,) = published(alone)
    told = ask("POST", "/keys", {}).json()
    assert (told["state"], told["hidden"]) == ("next", False)
    assert published(alone) == {first, told["kid"]}
    assert {kid: key["state"] for kid, key in keys(ask).items()} == {first: "active", told["kid"]: "next"}


def test_an_activated_key_retires_the_one_before_and_both_are_believed(ask: Ask, alone: Alone) -> None:
    before = alone.tokens()["access_token"]
    kid = ask("POST", "/keys", {"algorithm": "ES256"}).json()["kid"]
    assert ask("POST", f"/keys/{kid}/activate").json()["state"] == "active"
    assert sorted(key["state"] for key in keys(ask).values()) == ["active", "retired"]
    after = alone.tokens()["access_token"]
    assert alone.userinfo(before).status_code == alone.userinfo(after).status_code == 200


def test_rotation_is_both_at_once(ask: Ask, alone: Alone) -> None:
    (first,) = published(alone)
    told = ask("POST", "/keys/rotate", {}).json()
    assert told["state"] == "active"
    assert keys(ask)[first]["state"] == "retired"
    assert published(alone) == {first, told["kid"]}


def test_a_hidden_key_is_published_no_longer_and_believed_by_nobody(ask: Ask, alone: Alone) -> None:
    token = alone.tokens()["access_token"]
    (kid,) = published(alone)
    assert ask("POST", f"/keys/{kid}/hide").json()["hidden"] is True
    assert published(alone) == set()
    assert alone.userinfo(token).status_code == 401
    ask("POST", f"/keys/{kid}/show")
    assert published(alone) == {kid}
    assert alone.userinfo(token).status_code == 200


def test_the_key_that_signs_cannot_be_retired(ask: Ask) -> None:
    (kid,) = keys(ask)
    response = ask("POST", f"/keys/{kid}/retire")
    assert response.status_code == 409
    assert "activate another key first" in response.json()["error_description"]
    other = ask("POST", "/keys", {}).json()["kid"]
    assert ask("POST", f"/keys/{other}/retire").json()["state"] == "retired"


def test_each_tenant_has_its_own(ask: Ask, alone: Alone) -> None:
    ask("POST", "/keys/rotate", {}, tenant="partner")
    assert len(keys(ask)) == 1
    assert len(alone.http.get("/t/partner/jwks").json()["keys"]) == 2


def test_after_a_reset_with_keys_nothing_issued_before_is_believed(ask: Ask, alone: Alone) -> None:
    token, before = alone.tokens()["access_token"], published(alone)
    ask("POST", "/reset", {"keys": True})
    assert published(alone).isdisjoint(before)
    assert alone.userinfo(token).status_code == 401
    assert claims(alone.tokens()["access_token"])["sub"] == claims(token)["sub"]
