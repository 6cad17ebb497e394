"""A role changed in the organizations server reaches the identity provider, or is not changed at all."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import httpx
import jwt
import pytest
from fastmcp.exceptions import ToolError

from scenarios.services.processes import paused

if TYPE_CHECKING:
    from harness.person import Person
    from harness.stack import RunningService, Stack

AsUser = Callable[[str], "Person"]


def member(person: Person, username: str) -> dict[str, Any]:
    """Somebody as the organizations server lists them."""
    found = person.call_tool("organizations", "list_members", query=username)["items"]
    return dict(next(each for each in found if each["username"] == username))


def change(person: Person, username: str, role: str, /, **arguments: Any) -> dict[str, Any]:
    """Somebody's role, changed by a person who has just read it."""
    read = member(person, username)
    usual = {"user_id": read["id"], "role": role, "expected_version": read["version"]}
    return person.call_tool("organizations", "update_member_role", approve=True, **usual | arguments)


def refused(person: Person, username: str, role: str, /, **arguments: Any) -> dict[str, Any]:
    """The problem that such a change meets."""
    with pytest.raises(ToolError) as error:
        change(person, username, role, **arguments)
    return dict(json.loads(str(error.value)))


def roles_in(token: str) -> list[str]:
    return list(jwt.decode(token, options={"verify_signature": False})["roles"])


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_rita_becomes_an_agent_everywhere(organizations: RunningService, as_user: AsUser, mode: str) -> None:
    olivia, rita = as_user("olivia"), as_user("rita")
    old = rita.token("organizations")
    before = member(olivia, "rita")
    after = change(olivia, "rita", "agent", mode=mode)
    assert after == before | {"role": "agent", "version": before["version"] + 1}
    assert member(olivia, "rita") == after
    assert roles_in(old) == ["requester"]
    assert rita.call_tool("organizations", "list_members")["total"] == 1
    again = as_user("rita")
    assert roles_in(again.token("organizations")) == ["agent"]
    assert again.call_tool("organizations", "whoami")["role"] == "agent"
    assert again.call_tool("organizations", "list_members")["total"] == 40
    assert [call["status"] for call in organizations.stack.control("idp").requests(client_id="organizations")] == [200]


@pytest.mark.usefixtures("stack")
def test_her_tickets_follow_the_role_too(as_user: AsUser) -> None:
    mine = as_user("rita").call_tool("ticketing", "search_tickets", limit=1)["total"]
    change(as_user("adam"), "rita", "viewer")
    assert as_user("rita").call_tool("ticketing", "search_tickets", limit=1)["total"] > mine
    assert as_user("rita").api.get("/api/me").json()["role"] == "viewer"


@pytest.mark.parametrize(
    ("username", "target", "role"),
    [("alice", "rita", "agent"), ("victor", "rita", "agent"), ("adam", "rita", "owner"), ("adam", "olivia", "agent")],
)
def test_whoever_may_not_is_told_so_and_nothing_changes(
    shared_stack: Stack, as_user: AsUser, username: str, target: str, role: str
) -> None:
    before, told = member(as_user("olivia"), target), told_to_the_provider(shared_stack)
    assert refused(as_user(username), target, role)["code"] == "forbidden"
    assert member(as_user("olivia"), target) == before
    assert told_to_the_provider(shared_stack) == told


def told_to_the_provider(stack: Stack) -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = stack.control("idp").requests(client_id="organizations")
    return told


def test_a_requester_cannot_make_themselves_anything(as_user: AsUser) -> None:
    assert refused(as_user("rita"), "rita", "owner")["code"] == "forbidden"
    assert roles_in(as_user("rita").token("organizations")) == ["requester"]


def test_a_token_without_the_scope_is_not_enough(shared_stack: Stack, as_user: AsUser) -> None:
    olivia = as_user("olivia")
    message = {"name": "update_member_role", "arguments": {"user_id": "x", "role": "agent", "expected_version": 1}}
    response = httpx.post(
        shared_stack.audience("organizations"),
        json={"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": message},
        headers={
            "Authorization": f"Bearer {olivia.token('organizations', scope='orgs:read')}",
            "Accept": "application/json, text/event-stream",
            "MCP-Protocol-Version": "2025-11-25",
        },
    )
    assert response.status_code == 403
    assert 'scope="orgs:write"' in response.headers["www-authenticate"]


@pytest.mark.usefixtures("organizations")
def test_who_changes_what_another_has_changed_reads_again_first(as_user: AsUser) -> None:
    olivia, adam = as_user("olivia"), as_user("adam")
    seen = member(adam, "rita")["version"]
    change(olivia, "rita", "agent")
    problem = refused(adam, "rita", "viewer", expected_version=seen)
    assert (problem["code"], problem["errors"][0]["pointer"]) == ("conflict", "arguments.expected_version")
    assert roles_in(as_user("rita").token("organizations")) == ["agent"]
    assert change(adam, "rita", "viewer")["role"] == "viewer"


@pytest.mark.usefixtures("organizations")
def test_an_admin_who_was_demoted_does_not_come_back_with_an_old_token(as_user: AsUser) -> None:
    adam = as_user("adam")
    assert "admin" in roles_in(adam.token("organizations"))
    change(as_user("olivia"), "adam", "viewer")
    problem = refused(adam, "adam", "admin")
    assert problem["code"] == "forbidden"
    assert "sign in again" in problem["detail"]
    assert member(adam, "adam")["role"] == "viewer"
    assert roles_in(as_user("adam").token("organizations")) == ["viewer"]


@pytest.mark.usefixtures("organizations")
def test_the_last_owner_stays_one(as_user: AsUser) -> None:
    olivia = as_user("olivia")
    assert refused(olivia, "olivia", "admin")["code"] == "conflict"
    change(olivia, "adam", "owner")
    assert change(olivia, "olivia", "admin")["role"] == "admin"
    assert refused(as_user("adam"), "adam", "viewer")["code"] == "conflict"
    assert roles_in(as_user("adam").token("organizations")) == ["owner"]


@pytest.mark.parametrize("whose", ["another organization's", "nobody's"])
def test_who_is_not_a_member_does_not_exist(shared_stack: Stack, as_user: AsUser, whose: str) -> None:
    told = told_to_the_provider(shared_stack)
    stranger = as_user("grace").call_tool("organizations", "whoami")["id"] if whose.startswith("another") else "usr_x"
    problem = refused(as_user("olivia"), "rita", "agent", user_id=stranger)
    assert (problem["code"], problem["status"]) == ("not_found", 404)
    assert told_to_the_provider(shared_stack) == told


@pytest.mark.parametrize(
    "wrong",
    [
        {"role": "superuser"},
        {"role": "Agent"},
        {"role": None},
        {"expected_version": 0},
        {"expected_version": "1"},
        {"expected_version": 2**40},
        {"user_id": ""},
        {"user_id": "x" * 65},
        {"org_id": "org_other"},
    ],
)
def test_arguments_that_make_no_sense_are_invalid(as_user: AsUser, wrong: dict[str, Any]) -> None:
    assert refused(as_user("olivia"), "rita", "agent", **wrong)["code"] == "invalid"


@pytest.mark.destructive
def test_what_the_provider_does_not_confirm_is_not_stored_and_the_same_call_works_later(
    organizations: RunningService, as_user: AsUser
) -> None:
    olivia = as_user("olivia")
    read = member(olivia, "rita")
    with paused(organizations.stack, "idp"):
        assert refused(olivia, "rita", "agent")["code"] == "unavailable"
        assert member(olivia, "rita") == read
    assert change(olivia, "rita", "agent", expected_version=read["version"])["version"] == read["version"] + 1
    assert roles_in(as_user("rita").token("organizations")) == ["agent"]


def test_a_role_that_is_set_already_is_told_again_and_counts_as_no_change(
    organizations: RunningService, as_user: AsUser
) -> None:
    olivia, idp = as_user("olivia"), organizations.stack.control("idp")
    before = member(olivia, "rita")
    idp.put_user("rita", role="viewer")
    assert change(olivia, "rita", "requester") == before
    assert roles_in(as_user("rita").token("organizations")) == ["requester"]


def test_a_member_the_provider_does_not_know_keeps_the_role(organizations: RunningService, as_user: AsUser) -> None:
    olivia = as_user("olivia")
    before = member(olivia, "rita")
    organizations.stack.control("idp").drop_user("rita")
    assert refused(olivia, "rita", "agent")["code"] == "bad_gateway"
    assert member(olivia, "rita") == before


def test_a_token_of_its_own_that_is_no_longer_good_is_renewed(organizations: RunningService, as_user: AsUser) -> None:
    change(as_user("olivia"), "rita", "agent")
    organizations.stack.control("idp").reset(keys=True)
    assert change(as_user("olivia"), "rita", "viewer")["role"] == "viewer"
    assert roles_in(as_user("rita").token("organizations")) == ["viewer"]
