"""The ticketing tools through the real server, as FastMCP's client sees them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from fastmcp.exceptions import ToolError

if TYPE_CHECKING:
    from harness.person import Person
    from harness.stack import Stack

AsUser = Callable[[str], "Person"]
ERAS = pytest.mark.parametrize("mode", ["auto", "legacy"])


def problem(error: ToolError) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(str(error))
    return found


@ERAS
def test_search_and_get_show_the_same_ticket(as_user: AsUser, mode: str) -> None:
    alice = as_user("alice")
    listing = alice.call_tool("ticketing", "search_tickets", mode=mode, query="VPN drops")
    assert listing["total"] == 1
    assert listing["nextCursor"] is None
    (found,) = listing["items"]
    whole = alice.call_tool("ticketing", "get_ticket", mode=mode, key="ACME-1")
    assert whole == found | {"comments": None, "history": None}
    assert found["statusCategory"] == "in_progress"
    assert found["labels"] == ["network", "vpn"]
    assert found["createdAt"].endswith("Z")


@pytest.mark.destructive
def test_what_one_member_creates_the_colleagues_find_and_no_other_organization(stack: Stack, as_user: AsUser) -> None:
    rita, alice, grace = as_user("rita"), as_user("alice"), as_user("grace")
    created = rita.call_tool("ticketing", "create_ticket", title="Kettle leaks", labels=["tea"])
    assert created["key"] == "ACME-166"
    assert (created["status"], created["type"], created["priority"]) == ("open", "request", "normal")
    second = rita.call_tool("ticketing", "create_ticket", mode="legacy", title="Kettle still leaks", type="incident")
    assert second["key"] == "ACME-167"
    assert alice.call_tool("ticketing", "search_tickets", limit=2)["items"] == [second, created]
    assert grace.call_tool("ticketing", "search_tickets", query="Kettle")["total"] == 0
    stack.restart("ticketing")
    assert alice.call_tool("ticketing", "search_tickets", query="Kettle leaks")["items"] == [created]


@ERAS
def test_another_organizations_ticket_is_not_found(as_user: AsUser, mode: str) -> None:
    with pytest.raises(ToolError) as refused:
        as_user("alice").call_tool("ticketing", "get_ticket", mode=mode, key="GLBX-1")
    assert problem(refused.value) == {
        "type": "urn:dress-rehearsal:problem:not_found",
        "title": "Not Found",
        "status": 404,
        "detail": "There is no ticket 'GLBX-1'.",
        "code": "not_found",
    }


@ERAS
def test_a_viewer_is_told_that_the_role_does_not_allow_it(as_user: AsUser, mode: str) -> None:
    with pytest.raises(ToolError) as refused:
        as_user("victor").call_tool("ticketing", "create_ticket", mode=mode, title="Not to be")
    assert problem(refused.value)["code"] == "forbidden"
    assert problem(refused.value)["detail"] == "The role viewer may not create tickets."


@ERAS
def test_pages_follow_the_cursor_to_the_end(as_user: AsUser, mode: str) -> None:
    alice = as_user("alice")
    first = alice.call_tool("ticketing", "search_tickets", mode=mode, limit=5, status=["open", "pending"])
    seen, cursor = first["items"], first["nextCursor"]
    while cursor:
        page = alice.call_tool(
            "ticketing", "search_tickets", mode=mode, limit=5, status=["open", "pending"], cursor=cursor
        )
        seen, cursor = seen + page["items"], page["nextCursor"]
    assert len({ticket["key"] for ticket in seen}) == len(seen) == first["total"]
