"""Kill -9 in the middle: what the provider has said it still stands by when it is back."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from scenarios.services import processes
from scenarios.services.idp.conftest import Client, claims, refused, told

if TYPE_CHECKING:
    from harness.stack import Stack

pytestmark = pytest.mark.destructive


@pytest.fixture
def kill(stack: Stack) -> Callable[[], None]:
    """End the provider without a word and start it again."""

    def at_once() -> None:
        processes.kill(stack, "idp")
        stack.restart("idp")

    return at_once


def test_keys_sessions_and_tokens_outlive_it(fresh: Client, kill: Callable[[], None]) -> None:
    keys, tokens = fresh.http.get("/jwks").json(), fresh.tokens()
    kill()
    assert fresh.http.get("/jwks").json() == keys
    assert fresh.userinfo(tokens["access_token"]).status_code == 200
    assert "code" in told(fresh.authorize(fresh.asked(prompt="none")))
    assert claims(fresh.refresh(tokens["refresh_token"]).json()["access_token"])["sub"]


def test_an_open_login_page_still_leads_somewhere(fresh: Client, kill: Callable[[], None]) -> None:
    begun = fresh.authorize(fresh.asked())
    kill()
    assert fresh.redeem(told(fresh.pick("alice", begun))["code"]).status_code == 200


def test_a_code_is_good_once_on_whichever_side_of_it(fresh: Client, kill: Callable[[], None]) -> None:
    before, after = fresh.sign_in()["code"], fresh.sign_in()["code"]
    tokens = fresh.redeem(before).json()
    kill()
    refused(fresh.redeem(before), 400, "invalid_grant")
    assert fresh.userinfo(tokens["access_token"]).status_code == 401
    assert fresh.redeem(after).status_code == 200
    refused(fresh.redeem(after), 400, "invalid_grant")


def test_a_refresh_token_that_was_used_is_still_a_sign_of_theft(fresh: Client, kill: Callable[[], None]) -> None:
    first = fresh.tokens()["refresh_token"]
    second = fresh.refresh(first).json()["refresh_token"]
    kill()
    refused(fresh.refresh(first), 400, "invalid_grant")
    refused(fresh.refresh(second), 400, "invalid_grant")


def test_what_was_revoked_stays_revoked(fresh: Client, kill: Callable[[], None]) -> None:
    login, single = fresh.tokens(), fresh.tokens()
    fresh.revoke(login["refresh_token"])
    fresh.revoke(single["access_token"])
    kill()
    assert fresh.userinfo(login["access_token"]).status_code == 401
    assert fresh.userinfo(single["access_token"]).status_code == 401
    assert fresh.refresh(single["refresh_token"]).status_code == 200


def test_nothing_of_it_is_left_in_a_world_that_begins_anew(fresh: Client, stack: Stack) -> None:
    keys, tokens = fresh.http.get("/jwks").json(), fresh.tokens()
    stack.reset()
    assert fresh.http.get("/jwks").json() != keys
    refused(fresh.refresh(tokens["refresh_token"]), 400, "invalid_grant")
    assert told(fresh.authorize(fresh.asked(prompt="none")))["error"] == "login_required"


def test_two_systems_never_share_a_key(stack: Stack, shared_stack: Stack, nobody: object) -> None:
    kids = [{key["kid"] for key in each.control("idp").signing_keys()} for each in (stack, shared_stack)]
    assert kids[0].isdisjoint(kids[1])
