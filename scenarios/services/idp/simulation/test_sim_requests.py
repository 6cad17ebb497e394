"""What was asked is recorded: with its lineage, to be waited for, and without any secret."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING

import pytest

from scenarios.services.idp.conftest import VERIFIER, Alone, Ask, Client
from services.idp.simulation.requests import KEPT

if TYPE_CHECKING:
    from harness.stack import Stack


def test_a_sign_in_can_be_followed_from_code_to_token_to_exchange(ask: Ask, alone: Alone) -> None:
    tokens = alone.tokens()
    exchanged = alone.exchange(tokens["access_token"])
    assert exchanged.status_code == 200
    told = ask("GET", "/requests").json()["requests"]
    assert [each["endpoint"] for each in told] == ["authorize", "login", "token", "token"]
    _, login, redeemed, exchange = told
    assert login["answered"]["code"] == redeemed["asked"]["code"]
    assert redeemed["answered"]["access_token"] == exchange["asked"]["subject_token"]
    assert exchange["jti"].startswith(f"{redeemed['jti']}.")
    assert (exchange["client_id"], exchange["status"], exchange["error"]) == ("api", 200, None)


def test_no_secret_is_told(ask: Ask, alone: Alone) -> None:
    answer = alone.sign_in()
    tokens = alone.redeem(answer["code"]).json()
    alone.refresh(tokens["refresh_token"])
    alone.exchange(tokens["access_token"])
    alone.userinfo(tokens["access_token"])
    alone.revoke(tokens["refresh_token"])
    alone.http.get("/logout", params={"id_token_hint": tokens["id_token"]})
    told = ask("GET", "/requests").text
    secrets = [answer["code"], VERIFIER, alone.api_secret, *(v for k, v in tokens.items() if k.endswith("_token"))]
    assert len(json.loads(told)["requests"]) == 8
    assert [secret for secret in secrets if secret in told or secret.split(".")[-1] in told] == []


def test_requests_are_found_by_what_they_asked_and_got(ask: Ask, alone: Alone) -> None:
    alone.refresh("never-issued")
    alone.tokens()
    (refused,) = ask("GET", "/requests", endpoint="token", error="invalid_grant").json()["requests"]
    assert (refused["asked"]["grant_type"], refused["status"]) == ("refresh_token", 400)
    assert len(ask("GET", "/requests", grant_type="authorization_code", client_id="cli").json()["requests"]) == 1
    assert ask("GET", "/requests", client_id="ui").json()["requests"] == []


@pytest.mark.parametrize(
    "body",
    [b'{"client_name": "\\ud800"}', b'{"client_secret": "\\ud800"}', b'{"x": NaN}', b'{"x": 1e999}', b'{"x":' * 5000],
)
def test_json_that_cannot_be_repeated_is_left_out_and_spoils_nothing(ask: Ask, alone: Alone, body: bytes) -> None:
    """Half of a surrogate pair, or a number beyond doubles, can be read by ``json`` and not be written by it."""
    alone.http.post("/register", content=body, headers={"Content-Type": "application/json"})
    alone.refresh("never-issued")
    first, second = ask("GET", "/requests").json()["requests"]
    assert (first["endpoint"], first["status"], first["asked"]) == ("register", 400, {})
    assert second["asked"]["grant_type"] == "refresh_token"


def test_each_tenant_keeps_its_own(ask: Ask, alone: Alone) -> None:
    alone.http.get("/t/partner/jwks")
    alone.http.get("/.well-known/openid-configuration/t/partner")
    assert ask("GET", "/requests").json()["requests"] == []
    assert len(ask("GET", "/requests", tenant="partner").json()["requests"]) == 2


def test_the_oldest_make_room(ask: Ask, alone: Alone) -> None:
    for _ in range(KEPT + 3):
        alone.http.get("/favicon")
    assert len(ask("GET", "/requests").json()["requests"]) == KEPT


@pytest.mark.parametrize(
    "body", [b"\xff\xfe", b"{", b"[" * 5000, b"a=%ff", b"a" * 100_000], ids=["binary", "{", "nested", "latin", "long"]
)
def test_a_body_that_cannot_be_read_is_recorded_all_the_same(ask: Ask, alone: Alone, body: bytes) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Authorization": "Basic ////"}
    alone.http.post("/token", content=body, headers=headers)
    (told,) = ask("GET", "/requests").json()["requests"]
    assert (told["endpoint"], told["status"] in (400, 401)) == ("token", True)


def test_one_can_wait_for_them(shared_stack: Stack, idp: Client) -> None:
    control = shared_stack.control("idp")
    control.forget_requests()
    with pytest.raises(AssertionError, match="0 of 1 requests"):
        control.wait_for_requests(within=0.01, error="invalid_client")
    control.assert_no_requests(error="invalid_client")
    later = threading.Thread(target=idp.post, args=("/token", {"client_id": "nobody", "grant_type": "x"}))
    later.start()
    (found,) = control.wait_for_requests(error="invalid_client")
    later.join()
    assert found["client_id"] == "nobody"
    with pytest.raises(AssertionError, match="1 requests"):
        control.assert_no_requests(error="invalid_client")


def test_they_are_told_apart_by_names_that_the_control_uses_itself(shared_stack: Stack, idp: Client) -> None:
    control = shared_stack.control("idp")
    control.forget_requests()
    idp.post("/token", {"client_id": "nobody", "grant_type": "x"})
    assert [each["endpoint"] for each in control.requests(method="POST")] == ["token"]
    assert control.requests(method="GET", path="/token", body="none") == []
