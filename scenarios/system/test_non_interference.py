"""What one organization does is nobody else's to know: worlds that differ in it alone look the same from outside."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from harness import launch
from harness.control import Control
from harness.mcp_client import McpClient
from harness.person import Person
from harness.stack import Stack
from scenarios.system.sight import Asked, seen

pytestmark = pytest.mark.xdist_group("non-interference")  # begun first: it takes long

ANOTHER_GLOBEX = """
extends: base
organizations:
  - slug: globex
    name: Globex Reborn
    people_in_all: 9
    tickets_in_all: 3
    people:
      - {username: gwen, name: Somebody Else, role: owner}
      - {username: alan, name: Alice Anders, role: agent}
      - {username: zoe, name: Zoe Zimmer, role: requester}
    teams:
      - {name: Second Line, members: [alan]}
      - {name: Third Line, members: [zoe]}
    tickets:
      - title: VPN of another
        type: incident
        status: open
        priority: urgent
        reporter: zoe
        assignee: alan
        labels: [vpn]
      - title: Nothing as it was
        type: question
        status: resolved
        priority: low
        reporter: zoe
        resolution: It never was.
        comments: [{author: alan, body: "globex-comment-ffff"}]
"""

EVERYTHING_BUT_THE_BROWSER = ("api",)


@pytest.fixture
def as_it_is(supervisor: Control) -> Iterator[Stack]:
    yield from _started(supervisor, "base")


@pytest.fixture
def otherwise(supervisor: Control, tmp_path: Path) -> Iterator[Stack]:
    """The same world, with another Globex in it."""
    file = tmp_path / "another.yaml"
    file.write_text(ANOTHER_GLOBEX, encoding="utf-8")
    yield from _started(supervisor, str(file))


def _started(supervisor: Control, world: str) -> Iterator[Stack]:
    name = f"non-interference-{os.getpid()}-{Path(world).stem}"
    choices = launch.choose("random", only=EVERYTHING_BUT_THE_BROWSER)
    with launch.stack_of(
        supervisor, name=name, choices=choices, world=world, only=EVERYTHING_BUT_THE_BROWSER
    ) as running:
        yield running


def _busy(person: Person) -> None:
    """Let there be changes."""
    for number in range(3):
        person.call_tool("ticketing", "create_ticket", title=f"Written by {person.username} as no. {number}")
        person.call_tool("organizations", "create_team", display_name=f"Team {number}")


def _things(person: Person) -> dict[str, list[str]]:
    members = person.call_tool("organizations", "list_members", limit=100)["items"]
    teams = person.call_tool("organizations", "list_teams", limit=100)["items"]
    return {"people": [each["id"] for each in members], "teams": [each["id"] for each in teams]}


@pytest.mark.parametrize("who", ["alice", "rita"])
def test_an_organization_sees_nothing_of_what_becomes_of_another(as_it_is: Stack, otherwise: Stack, who: str) -> None:
    theirs = [_things(stack.sign_in("gwen")) for stack in (as_it_is, otherwise)]
    assert theirs[0] != theirs[1]
    own = _things(as_it_is.sign_in("olivia"))
    _busy(otherwise.sign_in("gwen"))
    asked = Asked(
        people=[*own["people"][:3], *theirs[0]["people"][:3], *theirs[1]["people"][:3]],
        teams=[*own["teams"][:1], *theirs[0]["teams"][:1], *theirs[1]["teams"][:2]],
    )
    before, after = (seen(stack, who, asked) for stack in (as_it_is, otherwise))
    differing = [question for question, answer in before.items() if after[question] != answer]
    assert differing == []
    assert before.keys() == after.keys()
    everything = json.dumps(before)
    assert "globex-secret-51d0" not in everything
    assert "globex-comment-9a3e" not in everything


def test_the_comparison_would_notice(as_it_is: Stack, otherwise: Stack) -> None:
    """Of Globex itself the two worlds show different things."""
    asked = Asked(people=[], teams=[])
    _busy(otherwise.sign_in("gwen"))
    before, after = (seen(stack, "gwen", asked) for stack in (as_it_is, otherwise))
    differing = {question.split(" ")[0] for question, answer in before.items() if after[question] != answer}
    assert {"search_tickets", "get_ticket", "ticket_stats", "list_members", "list_teams", "GET"} <= differing
    assert {question for question in before if question.startswith("list_changes of") and "{}" in question} <= {
        question for question, answer in before.items() if after[question] != answer
    }


def test_every_tool_that_reads_is_asked(shared_stack: Stack) -> None:
    """A tool that is added must be asked here, too."""
    asked = {question.split(" ")[0] for question in seen(shared_stack, "victor", Asked(people=["x"], teams=["x"]))}
    assert set(_reading(shared_stack)) <= asked


def _reading(stack: Stack) -> Iterator[str]:
    for service in ("ticketing", "organizations"):
        with closing(McpClient(stack.sign_in("victor").mcp(service))) as client:
            yield from (tool.name for tool in client.list_tools() if tool.annotations.read_only_hint)
