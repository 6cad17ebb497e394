"""Organizations of people, by the simulation API: made and ended while it runs, and signed in to without the page."""

from __future__ import annotations

from typing import Any

import pytest

from scenarios.services.idp.conftest import Alone, Ask, claims, told


def roles(ask: Ask, username: str = "nora") -> list[tuple[str, str, bool]]:
    """Slug, role and whether it is active of each membership."""
    (person,) = (each for each in ask("GET", "/users").json()["users"] if each["username"] == username)
    return [(each["slug"], each["role"], each["active"]) for each in person["memberships"]]


def org_of(alone: Alone, slug: str) -> str:
    found = alone.provider.registry.membership(slug)
    assert found is not None
    return found.org_id


def test_everybody_of_the_world_is_in_each_of_their_organizations(ask: Ask) -> None:
    assert roles(ask) == [("acme", "agent", True), ("globex", "viewer", True)]
    assert roles(ask, "ines") == [("acme", "agent", False)]  # who is invited
    assert roles(ask, "ulla")[0][::2] == ("umbra", False)  # whose organization is suspended


def test_a_membership_is_made_changed_and_ended(ask: Ask, alone: Alone) -> None:
    assert ask("PUT", "/users/rita/memberships/globex", {"role": "admin"}).status_code == 200
    assert claims(alone.tokens("rita", organization="globex")["access_token"])["roles"] == ["admin"]
    ask("PUT", "/users/rita/memberships/org_new", {"org_name": "New", "slug": "new"})
    assert claims(alone.tokens("rita", organization="new")["access_token"])["org_id"] == "org_new"
    ask("PUT", f"/users/rita/memberships/{org_of(alone, 'globex')}", {"active": False})
    assert roles(ask, "rita")[1] == ("globex", "admin", False)
    assert ask("DELETE", "/users/rita/memberships/globex").status_code == 200
    assert ask("DELETE", "/users/rita/memberships/new").status_code == 200
    assert roles(ask, "rita") == [("acme", "requester", True)]
    assert ask("DELETE", "/users/rita/memberships/acme").status_code == 400  # the last one
    assert ask("DELETE", "/users/rita/memberships/globex").status_code == 404
    assert ask("DELETE", "/users/nobody/memberships/globex").status_code == 404
    assert ask("PUT", "/users/rita/memberships/nowhere", {"role": "agent"}).status_code == 404
    assert ask("PUT", "/users/rita/memberships/globex", {"rank": 1}).status_code == 400


def test_all_of_them_can_be_given_at_once_and_parts_of_the_first(ask: Ask, alone: Alone) -> None:
    both: list[dict[str, Any]] = [
        {"org_id": "org_a", "org_name": "A", "role": "owner"},
        {"org_id": "org_b", "org_name": "B", "role": "viewer"},
    ]
    assert ask("PUT", "/users/nova", {"memberships": both}).status_code == 200
    assert claims(alone.tokens("nova", organization="org_b")["access_token"])["roles"] == ["viewer"]
    ask("PUT", "/users/nova", {"role": "admin"})
    assert [each[1] for each in roles(ask, "nova")] == ["admin", "viewer"]
    for wrong in ({"memberships": [both[0], both[0]]}, {"memberships": both, "role": "owner"}, {"org_id": "org_b"}):
        assert ask("PUT", "/users/nova", wrong).status_code == 400, wrong
    assert [each[1] for each in roles(ask, "nova")] == ["admin", "viewer"]


def test_who_is_invited_comes_in_once_the_provider_lets_them(ask: Ask, alone: Alone) -> None:
    assert alone.pick("ines", alone.authorize(alone.asked())).status_code == 400
    ask("PUT", "/users/ines", {"active": True})
    assert claims(alone.tokens("ines")["access_token"])["roles"] == ["agent"]


@pytest.mark.parametrize("by", ["slug", "id"])
def test_the_next_sign_in_a_session_and_a_token_are_of_the_organization_named(ask: Ask, alone: Alone, by: str) -> None:
    globex = org_of(alone, "globex")
    named = {"user": "nora", "organization": "globex" if by == "slug" else globex}
    ask("POST", "/sign-ins", {"sign_ins": [named]})
    code = told(alone.authorize(alone.asked()))["code"]
    assert claims(alone.redeem(code).json()["access_token"])["org_id"] == globex
    cookie = ask("POST", "/session", named).json()["cookie"]
    alone.has_cookies({cookie["name"]: cookie["value"]})
    code = told(alone.authorize(alone.asked(prompt="none")))["code"]
    assert claims(alone.redeem(code).json()["access_token"])["roles"] == ["viewer"]
    assert ask("POST", "/mint", named).json()["claims"]["org_id"] == globex


def test_a_request_for_another_organization_than_that_of_the_next_sign_in_goes_before(ask: Ask, alone: Alone) -> None:
    ask("POST", "/sign-ins", {"sign_ins": [{"user": "nora", "organization": "globex"}, {"user": "nora"}]})
    code = told(alone.authorize(alone.asked(organization="acme")))["code"]
    assert claims(alone.redeem(code).json()["access_token"])["org_id"] == org_of(alone, "acme")
    assert told(alone.authorize(alone.asked(organization="initech")))["error"] == "access_denied"


def test_an_organization_of_others_is_told_from_those_of_the_person(ask: Ask) -> None:
    for path, body in (
        ("/mint", {"user": "nora", "organization": "initech"}),
        ("/session", {"user": "nora", "organization": "initech"}),
        ("/sign-ins", {"sign_ins": [{"user": "nora", "organization": "initech"}]}),
    ):
        answer = ask("POST", path, body)
        assert answer.status_code == 404
        assert answer.json()["error_description"] == "nora is not in 'initech', but in acme, globex"
