"""The ticketing tools through the real server, as FastMCP's client sees them."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
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


@ERAS
def test_the_last_change_is_found_by_its_moment_in_any_time_zone(as_user: AsUser, mode: str) -> None:
    alice = as_user("alice")
    newest = alice.call_tool("ticketing", "search_tickets", mode=mode, limit=1)["items"][0]
    moment = datetime.fromisoformat(newest["updatedAt"])
    for hours in (-12, 0, 14):
        since = moment.astimezone(timezone(timedelta(hours=hours))).isoformat()
        found = alice.call_tool("ticketing", "search_tickets", mode=mode, updated_since=since)["items"]
        assert newest["key"] in {ticket["key"] for ticket in found}
        assert {ticket["updatedAt"] for ticket in found} == {newest["updatedAt"]}


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


@pytest.mark.destructive
@ERAS
def test_a_key_is_the_same_in_any_case(stack: Stack, as_user: AsUser, mode: str) -> None:
    adam = as_user("adam")
    key = adam.call_tool("ticketing", "create_ticket", mode=mode, title="Lift stuck")["key"]
    for tool in ("get_ticket", "list_transitions"):
        assert adam.call_tool("ticketing", tool, mode=mode, key=key.lower())["key"] == key
    moved = adam.call_tool(
        "ticketing", "bulk_transition", mode=mode, approve=True, keys=[key.lower(), key, key.title()], to="pending"
    )
    assert [ticket["key"] for ticket in moved["items"]] == [key]
    deleted = adam.call_tool("ticketing", "delete_ticket", mode=mode, approve=True, key=key.lower(), expected_version=2)
    assert deleted["key"] == key


@pytest.mark.destructive
@ERAS
def test_lists_cut_long_descriptions_and_a_ticket_has_all_of_its(stack: Stack, as_user: AsUser, mode: str) -> None:
    alice = as_user("alice")
    texts = {"Exactly": "é" * 300, "Longer": "é" * 301}
    keys = {
        title: alice.call_tool("ticketing", "create_ticket", mode=mode, title=title, description=text)["key"]
        for title, text in texts.items()
    }
    listed = alice.call_tool("ticketing", "search_tickets", mode=mode, sort="-createdAt", limit=2)["items"]
    shown = {ticket["title"]: ticket["description"] for ticket in listed}
    assert shown == {"Exactly": "é" * 300, "Longer": "é" * 299 + "…"}
    for title, key in keys.items():
        assert alice.call_tool("ticketing", "get_ticket", mode=mode, key=key)["description"] == texts[title]
    moved = alice.call_tool(
        "ticketing", "bulk_transition", mode=mode, approve=True, keys=list(keys.values()), to="pending"
    )
    assert {ticket["title"]: ticket["description"] for ticket in moved["items"]} == shown


@pytest.mark.destructive
@ERAS
def test_a_ticket_lives_through_the_tools(stack: Stack, as_user: AsUser, mode: str) -> None:
    rita, alice = as_user("rita"), as_user("alice")

    def by(person: Person, tool: str, **arguments: Any) -> dict[str, Any]:
        return person.call_tool("ticketing", tool, mode=mode, **arguments)

    key = by(rita, "create_ticket", title="Lift stuck", priority="urgent", idempotency_key="lift")["key"]
    assert by(rita, "create_ticket", title="Lift stuck", priority="urgent", idempotency_key="lift")["key"] == key
    assert (
        by(alice, "assign_ticket", key=key, assignee="me")["assigneeId"]
        == by(alice, "get_ticket", key="ACME-1")["assigneeId"]
    )
    assert by(alice, "search_tickets", assignee="me", sort="-createdAt", limit=1)["items"][0]["key"] == key
    by(alice, "add_comment", key=key, body="Somebody is inside", visibility="internal")
    waiting = by(alice, "transition_ticket", key=key, to="pending", comment="The mechanic is on the way")
    assert (waiting["sla"]["policy"], waiting["sla"]["resolutionDueAt"], waiting["version"]) == ("urgent", None, 4)
    listed = by(alice, "list_transitions", key=key)["transitions"]
    assert {"to": "resolved", "requires": ["resolution"]} in listed
    changed = by(alice, "update_ticket", key=key, expected_version=4, labels=["lift"])
    done = by(
        alice, "transition_ticket", key=key, to="resolved", resolution="Freed", expected_version=changed["version"]
    )
    assert (done["sla"]["state"], done["statusCategory"], done["labels"]) == ("met", "done", ["lift"])
    whole = by(rita, "get_ticket", key=key, include=["comments", "history"])
    assert [comment["body"] for comment in whole["comments"]] == ["The mechanic is on the way"]
    assert by(rita, "list_comments", key=key)["total"] == 1
    assert [entry["type"] for entry in by(alice, "get_ticket_history", key=key)["items"]] == [
        "created",
        "assigned",
        "commented",
        "transitioned",
        "updated",
        "transitioned",
    ]
    stats = by(alice, "ticket_stats", group_by="status")
    assert stats["total"] == sum(group["count"] for group in stats["groups"]) == by(alice, "search_tickets")["total"]


@pytest.mark.destructive
@ERAS
def test_what_destroys_is_done_if_a_person_approves_and_never_else(stack: Stack, as_user: AsUser, mode: str) -> None:
    adam = as_user("adam")
    version = adam.call_tool("ticketing", "get_ticket", key="ACME-2")["version"]
    deletion = {"key": "ACME-2", "expected_version": version}
    closing: dict[str, Any] = {"keys": ["ACME-2", "ACME-3"], "to": "cancelled"}
    for tool, arguments in (("delete_ticket", deletion), ("bulk_transition", closing)):
        with pytest.raises(ToolError) as declined:
            adam.call_tool("ticketing", tool, mode=mode, approve=False, **arguments)
        assert problem(declined.value)["code"] == "declined"
    assert adam.call_tool("ticketing", "get_ticket", key="ACME-2")["version"] == version
    with pytest.raises(ToolError) as useless:
        adam.call_tool("ticketing", "delete_ticket", mode=mode, approve=True, key="GLBX-1", expected_version=1)
    assert problem(useless.value)["code"] == "not_found"
    moved = adam.call_tool("ticketing", "bulk_transition", mode=mode, approve=True, **closing)
    assert [ticket["status"] for ticket in moved["items"]] == ["cancelled", "cancelled"]
    deletion["expected_version"] = version + 1
    assert adam.call_tool("ticketing", "delete_ticket", mode=mode, approve=True, **deletion) == {
        "key": "ACME-2",
        "deleted": True,
    }
    assert adam.call_tool("ticketing", "search_tickets", query="New laptop")["total"] == 0
