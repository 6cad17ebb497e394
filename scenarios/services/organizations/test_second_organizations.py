"""Somebody in two organizations: each changes what they are in it, here and in tokens, and nothing in the other."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import jwt
import pytest
from fastmcp.exceptions import ToolError

from harness import code_flow
from harness.person import CLIENT_ID, REDIRECT_URI, SignInError

if TYPE_CHECKING:
    import httpx

    from harness.person import Person
    from harness.stack import RunningService

AsUser = Callable[..., "Person"]
NORA = "nora@acme.example"


def ask(person: Person, tool: str, **arguments: Any) -> dict[str, Any]:
    return person.call_tool("organizations", tool, **arguments)


def role_changed(person: Person, role: str) -> None:
    """Nora's, in the organization of that person."""
    nora = ask(person, "get_member", email=NORA)
    wanted = {"user_id": nora["id"], "role": role, "expected_version": nora["version"]}
    ask(person, "update_member_role", approve=True, **wanted)


def roles(person: Person) -> list[str]:
    """What a token says that was issued now."""
    return list(jwt.decode(person.token("organizations"), options={"verify_signature": False})["roles"])


@pytest.mark.usefixtures("organizations")
def test_nora_is_in_each_organization_what_it_says_of_her(as_user: AsUser) -> None:
    acme, globex = as_user("nora"), as_user("nora", organization="globex")
    first, second = ask(acme, "whoami"), ask(globex, "whoami")
    assert first["id"] == second["id"]
    assert (first["role"], first["organization"]["slug"]) == ("agent", "acme")
    assert (second["role"], second["organization"]["slug"]) == ("viewer", "globex")
    for person, current in ((acme, "acme"), (globex, "globex")):
        listed = ask(person, "list_my_organizations")["items"]
        assert [each["organization"]["slug"] for each in listed if each["current"]] == [current]


@pytest.mark.usefixtures("organizations")
def test_a_role_changes_in_one_organization_only(as_user: AsUser) -> None:
    gustav, olivia = as_user("gustav"), as_user("olivia")
    role_changed(gustav, "admin")
    assert (roles(as_user("nora")), roles(as_user("nora", organization="globex"))) == (["agent"], ["admin"])
    role_changed(olivia, "requester")
    assert (roles(as_user("nora")), roles(as_user("nora", organization="globex"))) == (["requester"], ["admin"])
    assert ask(olivia, "get_member", email=NORA)["role"] == "requester"
    assert ask(gustav, "get_member", email=NORA)["role"] == "admin"
    invited = ask(as_user("nora", organization="globex"), "invite_member", email="new@globex.example", role="viewer")
    assert invited["status"] == "invited"


def test_whoever_leaves_one_organization_stays_in_the_other(
    organizations: RunningService, as_user: AsUser, nobody: httpx.Client
) -> None:
    issuer = organizations.stack.url("idp")
    client = code_flow.Client(
        issuer, CLIENT_ID, REDIRECT_URI, organizations.audience, "openid offline_access orgs:read"
    )
    here, there = (code_flow.sign_in(client, "nora", organization=slug).tokens for slug in ("acme", "globex"))
    old = as_user("nora", organization="globex")
    me = ask(old, "whoami")

    gone = ask(as_user("gustav"), "deactivate_member", approve=True, user_id=me["id"])
    assert gone["status"] == "inactive"
    with pytest.raises(SignInError):
        as_user("nora", organization="globex").token("organizations")
    with pytest.raises(ToolError) as refused:
        ask(old, "whoami")
    assert json.loads(str(refused.value))["code"] == "forbidden"
    answers = {}
    for name, tokens in (("here", here), ("there", there)):
        form = {"grant_type": "refresh_token", "client_id": CLIENT_ID, "refresh_token": tokens["refresh_token"]}
        seen = nobody.get(f"{issuer}/userinfo", headers={"Authorization": f"Bearer {tokens['access_token']}"})
        answers[name] = (seen.status_code, nobody.post(f"{issuer}/token", data=form).status_code)
    assert answers == {"here": (200, 200), "there": (401, 400)}
    assert ask(as_user("nora"), "whoami")["status"] == "active"
    assert ask(as_user("olivia"), "get_member", email=NORA)["status"] == "active"


def test_whoever_is_asked_back_accepts_in_that_organization(organizations: RunningService, as_user: AsUser) -> None:
    gustav, idp = as_user("gustav"), organizations.stack.control("idp")
    nora = ask(gustav, "get_member", email=NORA)
    ask(gustav, "deactivate_member", approve=True, user_id=nora["id"])
    back = ask(gustav, "invite_member", email=NORA, role="agent")
    assert (back["id"], back["status"]) == (nora["id"], "invited")
    with pytest.raises(SignInError):
        as_user("nora", organization="globex").token("organizations")
    idp.put_membership("nora", "globex", active=True)
    again = as_user("nora", organization="globex")
    assert (roles(again), ask(again, "accept_invitation")["status"]) == (["agent"], "active")
    assert roles(as_user("nora")) == ["agent"]


def test_two_organizations_change_the_same_person_at_once_and_neither_change_is_lost(
    organizations: RunningService, as_user: AsUser
) -> None:
    ladder = ("viewer", "requester", "admin", "agent", "viewer", "admin")

    def climb(person: Person) -> None:
        for role in ladder:
            role_changed(person, role)

    with ThreadPoolExecutor() as pool:
        list(pool.map(climb, (as_user("olivia"), as_user("gustav"))))
    idp = organizations.stack.control("idp")
    (nora,) = (each for each in idp.users() if each["username"] == "nora")
    assert [each["role"] for each in nora["memberships"]] == ["admin", "admin"]
    told = [each["status"] for each in idp.requests(endpoint="scim")]
    assert told == [200] * 2 * len(ladder)
