"""Device authorization: RFC 8628 §3.1, §3.4 and §3.5, from the code that a device shows to its token."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote_plus

import pytest

from scenarios.services.idp.conftest import EVERYTHING, Alone, Living, claims, refused, told
from scenarios.services.idp.devices import DEVICE_CODE, Fields, back, begin, decide, enter, let_in, poll
from services.idp.device import ALPHABET
from services.idp.registry import Client as Registered


def test_a_device_gets_two_codes(alone: Alone) -> None:
    answer = begin(alone)
    assert answer.keys() == {
        "device_code", "user_code", "verification_uri", "verification_uri_complete", "expires_in", "interval",
    }  # fmt: skip
    assert (answer["expires_in"], answer["interval"]) == (600, 5)
    assert answer["verification_uri"] == f"{alone.at.idp}/device"
    assert answer["verification_uri_complete"] == f"{alone.at.idp}/device?user_code={answer['user_code']}"
    assert re.fullmatch(f"[{ALPHABET}]{{4}}-[{ALPHABET}]{{4}}", answer["user_code"])
    assert len(answer["device_code"]) >= 43
    assert begin(alone)["user_code"] != answer["user_code"]


def test_it_waits_and_gets_tokens_when_somebody_has_signed_in_for_it(alone: Alone) -> None:
    answer = begin(alone)
    refused(poll(alone, answer["device_code"]), 400, "authorization_pending")
    assert "Your device is in" in let_in(alone, answer["user_code"], "rita").text
    response = poll(alone, answer["device_code"])
    assert response.headers["cache-control"] == "no-store"
    tokens = response.json()
    assert tokens.keys() == {
        "access_token", "token_type", "expires_in", "scope", "refresh_token", "id_token",
    }  # fmt: skip
    assert set(tokens["scope"].split()) == set(EVERYTHING.split())
    access, identity = claims(tokens["access_token"]), claims(tokens["id_token"])
    assert (access["aud"], access["client_id"]) == (alone.at.api, "cli")
    assert (identity["aud"], identity["sub"], identity["preferred_username"]) == ("cli", access["sub"], "rita")
    assert "nonce" not in identity
    assert alone.userinfo(tokens["access_token"]).json()["preferred_username"] == "rita"
    assert alone.refresh(tokens["refresh_token"]).status_code == 200


def test_a_code_is_good_once(alone: Alone) -> None:
    answer = begin(alone)
    let_in(alone, answer["user_code"])
    tokens = poll(alone, answer["device_code"]).json()
    assert refused(poll(alone, answer["device_code"]), 400, "invalid_grant") == "the device code was used before"
    assert alone.userinfo(tokens["access_token"]).status_code == 200
    assert "No device shows this code" in enter(alone, answer["user_code"]).text


def test_whoever_asks_too_often_waits_longer_each_time(alone: Alone) -> None:
    code = begin(alone)["device_code"]
    refused(poll(alone, code), 400, "authorization_pending")
    alone.seconds += 4
    assert refused(poll(alone, code), 400, "slow_down") == "10 s must lie between two requests"
    alone.seconds += 9
    assert refused(poll(alone, code), 400, "slow_down") == "15 s must lie between two requests"
    alone.seconds += 15
    refused(poll(alone, code), 400, "authorization_pending")
    alone.seconds -= 60
    refused(poll(alone, code), 400, "authorization_pending")


def test_haste_does_not_cost_a_device_its_tokens(alone: Alone) -> None:
    answer = begin(alone)
    for error in ("authorization_pending", "slow_down"):
        refused(poll(alone, answer["device_code"]), 400, error)
    let_in(alone, answer["user_code"])
    assert poll(alone, answer["device_code"]).status_code == 200


def test_a_code_ends_with_its_time(alone: Alone) -> None:
    answer = begin(alone)
    alone.seconds += 599
    question = enter(alone, answer["user_code"])
    alone.seconds += 1
    refused(poll(alone, answer["device_code"]), 400, "expired_token")
    assert (
        "No device waits here"
        in alone.post("/device/decision", Fields(question.text).values | {"answer": "allow"}).text
    )
    assert "No device shows this code" in enter(alone, answer["user_code"]).text


def test_a_token_fetched_late_lives_as_long_as_any(alone: Alone) -> None:
    answer = begin(alone, scope="openid tickets:read")
    let_in(alone, answer["user_code"])
    alone.seconds += 599
    tokens = poll(alone, answer["device_code"]).json()
    assert tokens["expires_in"] == 600
    alone.seconds += 599
    assert alone.userinfo(tokens["access_token"]).status_code == 200


def test_a_no_is_told_to_the_device(alone: Alone) -> None:
    answer = begin(alone)
    assert "Device turned away" in decide(alone, enter(alone, answer["user_code"]), "deny").text
    refused(poll(alone, answer["device_code"]), 400, "access_denied")
    alone.seconds += 700
    refused(poll(alone, answer["device_code"]), 400, "access_denied")


def test_turning_back_at_the_sign_in_is_a_no(alone: Alone) -> None:
    answer = begin(alone)
    login = decide(alone, enter(alone, answer["user_code"]))
    form = {"interaction": told(login)["interaction"], "cancel": "yes"}
    assert "Device turned away" in back(alone, alone.post("/login", form)).text
    refused(poll(alone, answer["device_code"]), 400, "access_denied")


@pytest.mark.parametrize(
    ("changes", "status", "error"),
    [
        ({"client_id": None}, 401, "invalid_client"),
        ({"client_id": "nobody"}, 401, "invalid_client"),
        ({"client_id": "api"}, 401, "invalid_client"),
        ({"client_id": "ui"}, 400, "unauthorized_client"),
        ({"scope": "unheard:of"}, 400, "invalid_scope"),
        ({"resource": None}, 400, "invalid_target"),
        ({"resource": "https://evil.example"}, 400, "invalid_target"),
    ],
)
def test_a_device_that_may_not_ask(alone: Alone, changes: dict[str, str | None], status: int, error: str) -> None:
    usual = {"client_id": "cli", "scope": EVERYTHING, "resource": alone.at.api}
    refused(alone.post("/device_authorization", usual | changes), status, error)


def test_a_device_that_authenticates_must_do_so_each_time(alone: Alone) -> None:
    client = Registered.model_validate(
        {"id": "tv", "name": "TV", "secret": "a secret", "grants": [DEVICE_CODE], "resources": [alone.at.api]}
    )
    alone.provider.registry.clients.put("tv", client)
    form = {"scope": "tickets:read", "resource": alone.at.api}
    refused(alone.post("/device_authorization", form | {"client_id": "tv"}), 401, "invalid_client")
    answer = alone.post("/device_authorization", form, auth=("tv", quote_plus("a secret"))).json()
    refused(poll(alone, answer["device_code"], client_id="tv"), 401, "invalid_client")
    let_in(alone, answer["user_code"])
    asked = {"grant_type": DEVICE_CODE, "device_code": answer["device_code"]}
    tokens = alone.post("/token", asked, auth=("tv", quote_plus("a secret"))).json()
    assert tokens.keys() == {"access_token", "token_type", "expires_in", "scope"}


def test_a_device_code_is_its_clients_and_its_tenants(alone: Alone) -> None:
    clients = alone.provider.registry.clients
    clients.put("other", clients["cli"].model_copy(update={"id": "other"}))
    answer = begin(alone)
    let_in(alone, answer["user_code"])
    refused(poll(alone, answer["device_code"], client_id="other"), 400, "invalid_grant")
    refused(poll(alone, answer["device_code"], client_id="ui"), 400, "unauthorized_client")
    partner = alone.app.state.tenants["partner"].registry.clients
    partner.put("cli", partner["cli"].model_copy(update={"grants": clients["cli"].grants}))
    form = {"grant_type": DEVICE_CODE, "client_id": "cli", "device_code": answer["device_code"]}
    refused(alone.post("/t/partner/token", form), 400, "invalid_grant")
    assert "No device shows this code" in alone.post("/t/partner/device", {"user_code": answer["user_code"]}).text
    assert poll(alone, answer["device_code"]).status_code == 200


@pytest.mark.parametrize("code", [None, "made-up", "x" * 20_000])
def test_a_device_code_that_was_never_given(alone: Alone, code: str | None) -> None:
    form = {"grant_type": DEVICE_CODE, "client_id": "cli", "device_code": code}
    refused(alone.post("/token", form), 400, "invalid_grant" if code else "invalid_request")


def test_somebody_who_left_meanwhile_lets_nothing_in(alone: Alone) -> None:
    users, answer = alone.provider.registry.users, begin(alone)
    let_in(alone, answer["user_code"])
    alice = alone.provider.registry.user_named("alice")
    assert alice is not None
    users.put(alice.sub, alice.model_copy(update={"active": False}))
    refused(poll(alone, answer["device_code"]), 400, "invalid_grant")


def test_the_whole_way_in_another_tenant(alone: Alone) -> None:
    partner = alone.app.state.tenants["partner"]
    clients = partner.registry.clients
    clients.put("cli", clients["cli"].model_copy(update={"grants": alone.provider.registry.clients["cli"].grants}))
    form = {"client_id": "cli", "scope": "openid", "resource": alone.at.api}
    answer = alone.post("/t/partner/device_authorization", form).json()
    assert answer["verification_uri"] == f"{alone.at.idp}/t/partner/device"
    question = alone.post("/t/partner/device", {"user_code": answer["user_code"]})
    login = alone.post("/t/partner/device/decision", Fields(question.text).values | {"answer": "allow"})
    picked = {"interaction": told(login)["interaction"], "username": "petra"}
    returned = alone.post("/t/partner/login", picked).headers["location"]
    assert "Your device is in" in alone.http.get(returned).text
    asked = {"grant_type": DEVICE_CODE, "client_id": "cli", "device_code": answer["device_code"]}
    assert claims(alone.post("/t/partner/token", asked).json()["access_token"])["sub"] == "usr_partner_petra"


def test_what_waits_survives_a_restart(living: Living, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.setenv("IDP_DATABASE_URL", f"sqlite:///{tmp_path}/idp.db")
    with living() as alone:
        waiting, granted, denied = (begin(alone) for _ in range(3))
        let_in(alone, granted["user_code"])
        decide(alone, enter(alone, denied["user_code"]), "deny")
        refused(poll(alone, waiting["device_code"]), 400, "authorization_pending")
        seen = {"waiting": waiting, "granted": granted, "denied": denied}
    with living() as alone:
        refused(poll(alone, seen["waiting"]["device_code"]), 400, "slow_down")
        refused(poll(alone, seen["denied"]["device_code"]), 400, "access_denied")
        assert poll(alone, seen["granted"]["device_code"]).status_code == 200
        let_in(alone, seen["waiting"]["user_code"])
        assert poll(alone, seen["waiting"]["device_code"]).status_code == 200
        alone.provider.store.forget()
        refused(poll(alone, seen["granted"]["device_code"]), 400, "invalid_grant")


def test_codes_reach_no_log(alone: Alone, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG", logger="services.idp")
    answer = begin(alone)
    let_in(alone, answer["user_code"])
    poll(alone, answer["device_code"])
    for code in (answer["device_code"], answer["user_code"], answer["user_code"].replace("-", "")):
        assert code not in "".join(
            record.getMessage() for record in caplog.records if record.name.startswith("services")
        )


def test_it_is_announced(alone: Alone) -> None:
    metadata = alone.http.get("/.well-known/openid-configuration").json()
    assert metadata["device_authorization_endpoint"] == f"{alone.at.idp}/device_authorization"
    assert DEVICE_CODE in metadata["grant_types_supported"]
