"""Signing in without the page, and people, clients, resources and tenants that change while it runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from scenarios.services.idp.conftest import Alone, Ask, Living, claims, refused, told
from services.idp.app import create_app


def test_the_next_requests_are_answered_as_queued_and_then_people_see_the_page(ask: Ask, alone: Alone) -> None:
    outcomes = [{"user": "rita"}, {"error": "access_denied"}, {"error": "server_error", "description": "a bad day"}]
    assert ask("POST", "/sign-ins", {"sign_ins": outcomes}).status_code == 201
    assert len(ask("GET", "/sign-ins").json()["sign_ins"]) == 3
    answer = told(alone.authorize(alone.asked()))
    token = alone.redeem(answer["code"]).json()["access_token"]
    rita = alone.provider.registry.user_named("rita")
    assert rita is not None
    assert claims(token)["sub"] == rita.sub
    denied, failed = (told(alone.authorize(alone.asked(prompt="login"))) for _ in range(2))
    assert (denied["error"], denied["iss"], denied["state"]) == ("access_denied", alone.at.idp, "the state")
    assert (failed["error"], failed["error_description"]) == ("server_error", "a bad day")
    assert "interaction" in told(alone.authorize(alone.asked(prompt="login")))


def test_a_request_that_is_wrong_uses_no_sign_in_up(ask: Ask, alone: Alone) -> None:
    ask("POST", "/sign-ins", {"sign_ins": [{"user": "alice"}]})
    assert told(alone.authorize(alone.asked(code_challenge=None)))["error"] == "invalid_request"
    assert "code" in told(alone.authorize(alone.asked()))


def test_a_queue_can_be_emptied(ask: Ask, alone: Alone) -> None:
    ask("POST", "/sign-ins", {"sign_ins": [{"user": "alice"}]})
    assert ask("DELETE", "/sign-ins").status_code == 204
    assert "interaction" in told(alone.authorize(alone.asked()))


def test_a_session_cookie_spares_the_page(ask: Ask, alone: Alone) -> None:
    cookie = ask("POST", "/session", {"user": "alice"}).json()["cookie"]
    alone.has_cookies({cookie["name"]: cookie["value"]})
    assert (cookie["httpOnly"], cookie["sameSite"], cookie["domain"]) == (True, "Lax", "localhost")
    assert "code" in told(alone.authorize(alone.asked(prompt="none")))


def test_a_person_can_be_made_and_changed(ask: Ask, alone: Alone) -> None:
    made = ask("PUT", "/users/nova", {"role": "agent", "claims": {"desk": "3b"}}).json()
    assert (made["username"], made["memberships"][0]["role"]) == ("nova", "agent")
    tokens = alone.tokens("nova")
    assert (claims(tokens["access_token"])["roles"], claims(tokens["access_token"])["desk"]) == (["agent"], "3b")
    assert claims(tokens["id_token"])["desk"] == "3b"
    assert alone.userinfo(tokens["access_token"]).json()["desk"] == "3b"
    changed = ask("PUT", "/users/nova", {"role": "admin"}).json()
    assert (changed["sub"], changed["memberships"][0]["role"], changed["claims"]) == (
        made["sub"],
        "admin",
        {"desk": "3b"},
    )
    renewed = alone.refresh(tokens["refresh_token"]).json()["access_token"]
    assert claims(renewed)["roles"] == ["admin"]
    assert ask("DELETE", "/users/nova").status_code == 204
    assert alone.userinfo(renewed).status_code == 401


def test_an_inactive_person_gets_nothing_more(ask: Ask, alone: Alone) -> None:
    tokens = alone.tokens()
    ask("PUT", "/users/alice", {"active": False})
    assert alone.userinfo(tokens["access_token"]).status_code == 401
    refused(alone.refresh(tokens["refresh_token"]), 400, "invalid_grant")
    assert alone.pick("alice", alone.authorize(alone.asked(prompt="login"))).status_code == 400


@pytest.mark.parametrize("how", ["deactivated", "dropped"])
def test_who_comes_back_has_to_sign_in_again(ask: Ask, alone: Alone, how: str) -> None:
    before = alone.provider.registry.user_named("rita")
    assert before
    tokens = alone.tokens("rita")
    ask("PUT", "/users/rita", {"active": False}) if how == "deactivated" else ask("DELETE", "/users/rita")
    alone.provider.registry.users.put(before.sub, before)
    assert told(alone.authorize(alone.asked(prompt="none")))["error"] == "login_required"
    refused(alone.refresh(tokens["refresh_token"]), 400, "invalid_grant")
    assert alone.userinfo(tokens["access_token"]).status_code == 401


def test_a_session_can_be_ended_from_outside(ask: Ask, alone: Alone) -> None:
    begun = ask("POST", "/session", {"user": "rita"}).json()
    alone.has_cookies({begun["cookie"]["name"]: begun["cookie"]["value"]})
    assert "code" in told(alone.authorize(alone.asked(prompt="none")))
    assert ask("DELETE", f"/sessions/{begun['sid']}").status_code == 204
    assert told(alone.authorize(alone.asked(prompt="none")))["error"] == "login_required"
    assert ask("DELETE", f"/sessions/{begun['sid']}").status_code == 404


def test_a_client_can_be_made_and_used_at_once(ask: Ask, alone: Alone) -> None:
    entry = {"secret": "s3cret", "grants": ["client_credentials"], "resources": [alone.at.ticketing]}
    assert ask("PUT", "/clients/robot", entry).json()["auth_method"] == "client_secret_basic"
    asked = {"grant_type": "client_credentials", "resource": alone.at.ticketing}
    answer = alone.post("/token", asked, auth=("robot", "s3cret")).json()
    assert claims(answer["access_token"])["sub"] == "robot"
    ask("DELETE", "/clients/robot")
    refused(alone.post("/token", asked, auth=("robot", "s3cret")), 401, "invalid_client")


def test_a_resource_server_can_be_made(ask: Ask, alone: Alone) -> None:
    entry = {"uri": "http://localhost:99/mcp", "name": "Weather", "scopes": ["tickets:read"]}
    assert ask("PUT", "/resources", entry).status_code == 200
    cli = next(client for client in ask("GET", "/clients").json()["clients"] if client["id"] == "cli")
    ask("PUT", "/clients/cli", {"resources": [*cli["resources"], entry["uri"]]})
    assert claims(alone.tokens(resource="http://localhost:99/mcp")["access_token"])["aud"] == entry["uri"]


def test_a_tenant_can_be_made_with_people_of_its_own(ask: Ask, alone: Alone) -> None:
    person = {"sub": "usr_w", "username": "wanda", "name": "Wanda", "email": "w@w.example", "role": "agent"}
    entries = {
        "algorithm": "EdDSA",
        "resources": {"api": {"uri": "{API_URL}", "name": "API", "scopes": ["tickets:read"]}},
        "scopes": {"openid": "Know you", "tickets:read": "Read tickets"},
        "clients": {"cli": {"name": "CLI", "grants": [], "resources": ["api"]}},
        "users": [person | {"org_id": "org_w", "org_name": "W"}],
    }
    assert ask("PUT", "/tenants/worker-1", entries).json() == {"issuer": f"{alone.at.idp}/t/worker-1"}
    metadata = alone.http.get("/.well-known/oauth-authorization-server/t/worker-1").json()
    assert metadata["issuer"] == f"{alone.at.idp}/t/worker-1"
    assert metadata["id_token_signing_alg_values_supported"] == ["EdDSA"]
    assert [user["username"] for user in ask("GET", "/users", tenant="worker-1").json()["users"]] == ["wanda"]


def test_a_reset_begins_the_tenant_anew_and_leaves_others_alone(ask: Ask, alone: Alone) -> None:
    tokens = alone.tokens()
    ask("PUT", "/users/alice", {"role": "owner"})
    ask("DELETE", "/users/rita")
    ask("PUT", "/clients/robot", {"secret": "s"})
    ask("PUT", "/users/petra", {"role": "owner"}, tenant="partner")
    assert ask("POST", "/reset", {}).status_code == 204
    refused(alone.refresh(tokens["refresh_token"]), 400, "invalid_grant")
    assert alone.userinfo(tokens["access_token"]).status_code == 401
    people = {user["username"]: user["memberships"] for user in ask("GET", "/users").json()["users"]}
    assert "rita" in people
    assert [each["role"] for each in people["alice"]] == ["agent"]
    assert "robot" not in [client["id"] for client in ask("GET", "/clients").json()["clients"]]
    partner = {user["username"]: user["memberships"] for user in ask("GET", "/users", tenant="partner").json()["users"]}
    assert [each["role"] for each in partner["petra"]] == ["owner"]


def test_what_was_changed_is_still_so_after_a_restart(
    living: Living, settings: dict[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("IDP_DATABASE_URL", f"sqlite:///{tmp_path}/idp.db")
    secret = {"Authorization": f"Bearer {settings['SIMULATION_SECRET']}"}
    entries: dict[str, Any] = {"resources": {}, "scopes": {}, "clients": {}, "users": []}
    with living(create_app()) as alone:
        alone.http.headers |= secret
        alone.http.put("/_sim/users/nova", json={"role": "agent"})
        alone.http.delete("/_sim/users/rita")
        alone.http.put("/_sim/clients/robot", json={"secret": "s3cret", "grants": ["client_credentials"]})
        alone.http.put("/_sim/tenants/later", json=entries)
        keys = alone.http.post("/_sim/keys/rotate", json={}).json(), alone.http.get("/jwks").json()
    with living(create_app()) as alone:
        alone.http.headers |= secret
        people = [user["username"] for user in alone.http.get("/_sim/users").json()["users"]]
        assert "nova" in people
        assert "rita" not in people
        assert "robot" in [client["id"] for client in alone.http.get("/_sim/clients").json()["clients"]]
        assert alone.http.get("/t/later/.well-known/openid-configuration").status_code == 200
        assert alone.http.get("/jwks").json() == keys[1]
        active = [key["kid"] for key in alone.http.get("/_sim/keys").json()["keys"] if key["state"] == "active"]
        assert active == [keys[0]["kid"]]
