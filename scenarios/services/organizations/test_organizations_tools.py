"""The organizations tools through the real server."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from fastmcp.exceptions import ToolError

from services.organizations import roles
from services.organizations.roles import Reach
from services.shared.permissions import Caller
from services.shared.problems import Forbidden

if TYPE_CHECKING:
    from harness.person import Person

AsUser = Callable[[str], "Person"]
ERAS = pytest.mark.parametrize("mode", ["auto", "legacy"])


@pytest.mark.parametrize(
    ("role", "member_id"), [("viewer", None), ("agent", None), ("admin", None), ("owner", None), ("requester", "usr_1")]
)
def test_all_members_see_each_other_but_a_requester_only_themselves(role: str, member_id: str | None) -> None:
    caller = Caller("usr_1", "org_1", frozenset({role}), frozenset({"orgs:read"}))
    assert roles.reach(caller) == Reach("org_1", member_id)


@pytest.mark.parametrize(("role", "scope"), [("owner", "orgs:write"), ("superuser", "orgs:read")])
def test_scope_and_role_must_both_be_there(role: str, scope: str) -> None:
    with pytest.raises(Forbidden):
        roles.reach(Caller("usr_1", "org_1", frozenset({role}), frozenset({scope})))


@ERAS
def test_whoami_tells_name_role_and_organization(as_user: AsUser, mode: str) -> None:
    me = as_user("alice").call_tool("organizations", "whoami", mode=mode)
    assert me["id"].startswith("usr_")
    assert me["organization"].pop("id").startswith("org_")
    assert {name: value for name, value in me.items() if name != "id"} == {
        "username": "alice",
        "displayName": "Alice Anders",
        "email": "alice@acme.example",
        "role": "agent",
        "organization": {"slug": "acme", "displayName": "Acme Corporation", "ticketPrefix": "ACME"},
    }


@ERAS
def test_members_are_listed_by_name_page_by_page(as_user: AsUser, mode: str) -> None:
    victor = as_user("victor")
    names, cursor = list[str](), None
    while True:
        page = victor.call_tool("organizations", "list_members", mode=mode, limit=2, cursor=cursor)
        assert page["total"] == 5
        names += [member["username"] for member in page["items"]]
        if (cursor := page["nextCursor"]) is None:
            break
    assert names == ["adam", "alice", "olivia", "rita", "victor"]


@pytest.mark.parametrize(("query", "found"), [("SØRENSEN", ["rita"]), ("acme.example", 5), ("grace", []), ("%", [])])
def test_members_are_found_by_name_username_and_email(as_user: AsUser, query: str, found: list[str] | int) -> None:
    page = as_user("alice").call_tool("organizations", "list_members", query=query)
    assert page["total"] == (found if isinstance(found, int) else len(found))
    if isinstance(found, list):
        assert [member["username"] for member in page["items"]] == found


def test_a_requester_is_listed_to_themselves_alone(as_user: AsUser) -> None:
    page = as_user("rita").call_tool("organizations", "list_members")
    assert [member["username"] for member in page["items"]] == ["rita"]
    assert page["total"] == 1


def test_ids_are_those_that_tickets_carry(as_user: AsUser) -> None:
    alice = as_user("alice")
    ticket = alice.call_tool("ticketing", "get_ticket", key="ACME-1")
    names = {member["id"]: member["username"] for member in alice.call_tool("organizations", "list_members")["items"]}
    assert (names[ticket["reporterId"]], names[ticket["assigneeId"]]) == ("rita", "alice")


def test_a_cursor_of_another_organization_is_refused(as_user: AsUser) -> None:
    cursor = as_user("alice").call_tool("organizations", "list_members", limit=1)["nextCursor"]
    with pytest.raises(ToolError) as refused:
        as_user("grace").call_tool("organizations", "list_members", limit=1, cursor=cursor)
    problem = json.loads(str(refused.value))
    assert problem["code"] == "invalid"
    assert [flaw["pointer"] for flaw in problem["errors"]] == ["arguments.cursor"]
