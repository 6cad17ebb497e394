"""Whatever is done on one surface is the truth on all of them, for those who may know it and for nobody else."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import Page, expect

from harness.mcp_client import McpClient
from harness.person import Person
from scenarios.system.sight import Asked, seen

if TYPE_CHECKING:
    from harness.stack import Stack

pytestmark = pytest.mark.xdist_group("one-truth")  # begun first: it takes long

SERVERS = ("ticketing", "organizations")
ERAS = ("auto", "legacy")


@pytest.fixture
def alice(stack: Stack) -> Person:
    return stack.sign_in("alice")


@pytest.fixture
def tickets(alice: Person) -> Iterator[McpClient]:
    with closing(McpClient(alice.mcp("ticketing"))) as client:
        yield client


def _told(client: McpClient, tool: str, **arguments: Any) -> dict[str, Any]:
    content: dict[str, Any] = client.call_tool(tool, arguments).structured_content
    return content


def test_what_is_written_by_rest_or_by_a_tool_is_shown_by_both_at_once(alice: Person, tickets: McpClient) -> None:
    created = alice.api.post("/api/tickets", json={"title": "The lift sings", "type": "incident"}).json()
    key = created["key"]
    assert _told(tickets, "get_ticket", key=key)["title"] == "The lift sings"
    assert _told(tickets, "search_tickets", query="lift sings")["total"] == 1
    moved = _told(tickets, "transition_ticket", key=key, to="in_progress", expected_version=1)
    _told(tickets, "update_ticket", key=key, expected_version=2, priority="urgent")
    shown = alice.api.get(f"/api/tickets/{key}").json()
    assert (moved["status"], shown["status"], shown["priority"], shown["version"]) == (
        "in_progress", "in_progress", "urgent", 3,
    )  # fmt: skip
    for era in ERAS:
        again = alice.call_tool("ticketing", "get_ticket", mode=era, key=key)
        assert {name: again[name] for name in shown} == shown


def test_the_page_the_api_the_search_and_the_statistics_count_alike(
    shared_stack: Stack, page_as: Callable[[str], Page], as_user: Callable[[str], Person]
) -> None:
    alice = as_user("alice")
    total = alice.call_tool("ticketing", "search_tickets", limit=1)["total"]
    stats = alice.call_tool("ticketing", "ticket_stats", group_by="status")
    assert stats["total"] == total == sum(group["count"] for group in stats["groups"])
    assert alice.api.get("/api/tickets").json()["total"] == total
    expect(page_as("alice").get_by_text(f"{total} tickets")).to_be_visible()


def test_every_accepted_write_has_one_entry_that_says_who_did_it_and_through_whom(
    alice: Person, tickets: McpClient
) -> None:
    key = alice.api.post("/api/tickets", json={"title": "The lift sings"}).json()["key"]
    _told(tickets, "add_comment", key=key, body="In tune, though.")
    _told(tickets, "transition_ticket", key=key, to="resolved", resolution="It likes the song.")
    refused = tickets.call_tool_mcp("transition_ticket", {"key": key, "to": "pending"})
    assert refused.is_error
    entries = _told(tickets, "get_ticket_history", key=key)["items"]
    assert [entry["seq"] for entry in entries] == [1, 2, 3]
    assert [entry["type"] for entry in entries] == ["created", "commented", "transitioned"]
    me = _told_who(alice)
    assert [entry["actor"]["sub"] for entry in entries] == [me, me, me]
    assert [(entry["actor"]["act"], entry["actor"]["clientId"]) for entry in entries] == [
        ("api", "api"), (None, "cli"), (None, "cli"),
    ]  # fmt: skip


def _told_who(person: Person) -> str:
    return str(person.call_tool("organizations", "whoami")["id"])


def test_what_is_said_among_those_who_work_on_a_ticket_never_reaches_its_reporter(
    stack: Stack, alice: Person, tickets: McpClient
) -> None:
    word = "xylophone"
    _told(tickets, "add_comment", key="ACME-1", body=f"Tell nobody: {word}", visibility="internal")
    _told(tickets, "add_comment", key="ACME-1", body="We are on it.")
    rita = stack.sign_in("rita")
    everything = seen(stack, "rita", Asked(people=[], teams=[]))
    everything["search"] = json.dumps(rita.call_tool("ticketing", "search_tickets", query=word))
    everything["assistant"] = _conversation(rita, f"show ACME-1 and its comments, {word}?").replace(f", {word}?", "")
    with closing(McpClient(rita.mcp("ticketing"))) as client:
        for prompt, more in (("triage_ticket", {}), ("summarize_ticket", {}), ("draft_reply", {"tone": "friendly"})):
            everything[prompt] = client.get_prompt(prompt, {"key": "ACME-1", **more}).model_dump_json()
    assert any("We are on it." in answer for answer in everything.values())
    assert [question for question, answer in everything.items() if word in answer] == []
    assert word in json.dumps(_told(tickets, "list_comments", key="ACME-1"))


def _conversation(person: Person, message: str) -> str:
    answer = person.api.post("/api/chat", json={"message": message})
    assert answer.status_code == 200, answer.text
    return answer.text


def test_no_log_and_no_journal_holds_a_token_or_a_secret(stack: Stack, alice: Person, tickets: McpClient) -> None:
    """Of calls that succeed, that are refused, and that make no sense."""
    alice.api.get("/api/tickets")
    _conversation(alice, "list my tickets")
    for arguments in ({"key": "ACME-1"}, {"key": "GLBX-1"}, {"key": 3}, {}):
        tickets.call_tool_mcp("get_ticket", arguments)
    tokens = {alice.token(audience) for audience in ("api", *SERVERS)}
    for name in SERVERS:
        alice.api.get(f"{stack.url(name)}/mcp", headers={"Authorization": f"Bearer {alice.token('api')}"})
    told = {name: stack.log(name) for name in ("idp", "api", *SERVERS)} | {"journal": json.dumps(stack.journal())}
    for name, text in told.items():
        assert text, name
        assert not any(part in text for token in tokens for part in (token, token.split(".")[2])), name
        assert "eyJ" not in text, name


def test_the_same_steps_in_the_same_world_have_the_same_outcome(stack: Stack) -> None:
    """Ids included; only times and traces are those of the steps."""
    first = _day(stack)
    stack.reset()
    assert _day(stack) == first


def _day(stack: Stack) -> str:
    alice, adam = stack.sign_in("alice"), stack.sign_in("adam")
    key = alice.api.post("/api/tickets", json={"title": "The lift sings"}).json()["key"]
    steps = [
        alice.call_tool("ticketing", "add_comment", key=key, body="In tune, though."),
        alice.call_tool("ticketing", "transition_ticket", key=key, to="pending"),
        adam.call_tool("organizations", "create_team", display_name="Choir"),
        adam.call_tool("organizations", "invite_member", email="tenor@acme.example", role="agent"),
        adam.call_tool("ticketing", "get_ticket", key=key, include=["comments", "history"]),
        adam.call_tool("organizations", "list_members", limit=100),
        adam.call_tool("organizations", "list_teams"),
    ]
    return re.sub(r'"20\d\d-[^"]*Z"|"traceId": "[0-9a-f]{32}"', "…", json.dumps(steps))
