"""The organizations tools through the real server."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from fastmcp.exceptions import ToolError
from mcp import MCPError
from mcp_types import PromptReference, ResourceTemplateReference

if TYPE_CHECKING:
    from harness.mcp_client import McpClient
    from harness.person import Person

AsUser = Callable[[str], "Person"]
Connect = Callable[..., "McpClient"]
ERAS = pytest.mark.parametrize("mode", ["auto", "legacy"])


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
        "status": "active",
        "organization": {"slug": "acme", "displayName": "Acme Corporation", "ticketPrefix": "ACME"},
    }


@ERAS
def test_members_are_listed_by_name_page_by_page(as_user: AsUser, mode: str) -> None:
    victor = as_user("victor")
    names, cursor = list[str](), None
    while True:
        page = victor.call_tool("organizations", "list_members", mode=mode, limit=7, cursor=cursor)
        assert page["total"] == 40
        names += [member["displayName"] for member in page["items"]]
        if (cursor := page["nextCursor"]) is None:
            break
    assert len(names) == 40
    assert names == sorted(names)
    assert {"Adam Okafor", "Alice Anders", "Olivia Brandt", "Rita Sørensen", "Victor Lindqvist"} < set(names)


@pytest.mark.parametrize(("query", "found"), [("SØRENSEN", ["rita"]), ("acme.example", 40), ("grace", []), ("%", [])])
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
    members = alice.call_tool("organizations", "list_members", limit=100)["items"]
    names = {member["id"]: member["username"] for member in members}
    assert (names[ticket["reporterId"]], names[ticket["assigneeId"]]) == ("rita", "alice")


def test_a_cursor_of_another_organization_is_refused(as_user: AsUser) -> None:
    cursor = as_user("alice").call_tool("organizations", "list_members", limit=1)["nextCursor"]
    with pytest.raises(ToolError) as refused:
        as_user("grace").call_tool("organizations", "list_members", limit=1, cursor=cursor)
    problem = json.loads(str(refused.value))
    assert problem["code"] == "invalid"
    assert [flaw["pointer"] for flaw in problem["errors"]] == ["arguments.cursor"]


@ERAS
def test_the_organization_and_the_callers_own_memberships_are_told(as_user: AsUser, mode: str) -> None:
    alice = as_user("alice")
    organization = alice.call_tool("organizations", "get_organization", mode=mode)
    assert (organization["slug"], organization["status"], organization["memberCount"]) == ("acme", "active", 40)
    (own,) = alice.call_tool("organizations", "list_my_organizations", mode=mode)["items"]
    assert own["organization"]["id"] == organization["id"]
    assert (own["role"], own["status"], own["current"]) == ("agent", "active", True)


@pytest.mark.parametrize(
    ("tool", "arguments", "code"),
    [
        ("get_member", {"email": "grace@globex.example"}, "not_found"),
        ("get_member", {}, "invalid"),
        ("get_member", {"email": "no address"}, "invalid"),
        ("get_team", {"team_id": "team_x"}, "not_found"),
        ("list_members", {"status": "gone"}, "invalid"),
        ("invite_member", {"email": "mira@partner.example", "role": "viewer"}, "forbidden"),
        ("create_team", {"display_name": "Network"}, "forbidden"),
        ("create_team", {"display_name": " "}, "invalid"),
        ("add_team_member", {"team_id": "team_x", "user_id": "usr_x"}, "forbidden"),
        ("remove_team_member", {"team_id": "team_x", "user_id": "usr_x"}, "forbidden"),
        ("deactivate_member", {"user_id": "usr_x"}, "forbidden"),
    ],
)
def test_what_an_agent_cannot_do_has_a_code(as_user: AsUser, tool: str, arguments: dict[str, Any], code: str) -> None:
    with pytest.raises(ToolError) as refused:
        as_user("alice").call_tool("organizations", tool, **arguments)
    assert json.loads(str(refused.value))["code"] == code


def read(client: McpClient, uri: str) -> dict[str, Any]:
    (content,) = client.read_resource(uri)
    return dict(json.loads(content.text))


@ERAS
def test_the_organization_the_roles_and_teams_can_be_read_as_resources(mcp_client: Connect, mode: str) -> None:
    client = mcp_client("organizations", "alice", mode=mode)
    assert read(client, "org://current")["slug"] == "acme"
    assert [each["role"] for each in read(client, "org://roles")["roles"]] == [
        "owner", "admin", "agent", "requester", "viewer",
    ]  # fmt: skip
    with pytest.raises(MCPError) as unknown:
        client.read_resource("team://team_x")
    told = unknown.value.error
    assert (told.code, told.data["uri"], told.data["problem"]["code"]) == (-32602, "team://team_x", "not_found")


def fenced(message: str) -> dict[str, Any]:
    """What a message has of data: one line of it."""
    (line,) = [line for line in message.splitlines() if line.startswith("{")]
    return dict(json.loads(line))


@ERAS
def test_prompts_know_the_organization_and_fence_what_users_wrote(mcp_client: Connect, mode: str) -> None:
    client = mcp_client("organizations", "adam", mode=mode)
    for email, role in (("mira@partner.example", None), ("Alice@acme.example", "agent")):
        data = fenced(client.get_prompt("onboard_member", {"email": email, "role": "viewer"}).messages[0].content.text)
        assert (data["organization"]["displayName"], data["email"], data["role"]) == (
            "Acme Corporation",
            email,
            "viewer",
        )
        assert (data["knownAs"] or {}).get("role") == role
    review = client.get_prompt("access_review").messages[0].content.text
    in_charge = [each["username"] for each in fenced(review)["ownersAndAdmins"]]
    assert in_charge[:2] == ["olivia", "adam"]
    assert not {"alice", "rita", "victor"} & set(in_charge)
    with pytest.raises(MCPError, match="do not fit the input schema"):
        client.get_prompt("onboard_member", {"email": "mira@partner.example", "role": "emperor"})


@ERAS
def test_emails_roles_and_team_ids_are_completed(mcp_client: Connect, mode: str) -> None:
    client = mcp_client("organizations", "victor", mode=mode)
    onboarding = PromptReference(name="onboard_member")
    for argument, started, values in (
        ("email", "AL", ["alice@acme.example"]),
        ("email", "g", []),
        ("role", "a", ["admin", "agent"]),
    ):
        told = client.complete(onboarding, {"name": argument, "value": started})
        assert told.values == values
    assert client.complete(ResourceTemplateReference(uri="team://{id}"), {"name": "id", "value": "nix"}).values == []
    rita = mcp_client("organizations", "rita", mode=mode)
    assert rita.complete(onboarding, {"name": "email", "value": ""}).values == ["rita@acme.example"]
