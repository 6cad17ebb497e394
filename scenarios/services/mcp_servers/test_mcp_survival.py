"""Kill -9 amid writes: what was acknowledged is there once, and what was not can be sent again without fear."""

from __future__ import annotations

import sqlite3
import ssl
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from itertools import count
from threading import Semaphore, Thread
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from scenarios.services.mcp_servers.wire import Wire
from scenarios.services.processes import kill

if TYPE_CHECKING:
    from harness.person import Person
    from harness.stack import Stack

pytestmark = pytest.mark.destructive

AsUser = Callable[[str], "Person"]
WRITERS = 4
KILLS = 3
BEFORE_A_KILL = 25
"""Acknowledged writes."""
WITHIN_S = 30.0

TICKET, COMMENT, TEAM = "create_ticket", "add_comment", "create_team"
TICKETING: Mapping[str, str] = {TICKET: "title", COMMENT: "body"}
ORGANIZATIONS: Mapping[str, str] = {TEAM: "display_name"}
"""The tools that write, and the argument that tells one write from another."""


@dataclass
class Writers:
    """Threads that write until the server is gone. A text is a write's own, and its idempotency key."""

    url: str
    token: str
    tools: Mapping[str, str]
    fixed: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    sent: dict[str, str] = field(default_factory=dict)
    """The tool of each write, by its text."""
    acknowledged: set[str] = field(default_factory=set)
    answered: Semaphore = field(default_factory=lambda: Semaphore(0))
    numbers: Iterator[int] = field(default_factory=count)

    def send(self, wire: Wire, tool: str, text: str) -> dict[str, Any]:
        """One write; an answer that is not a success fails the scenario."""
        arguments = {self.tools[tool]: text, "idempotency_key": text, **self.fixed.get(tool, {})}
        response = wire.call(tool, arguments, token=self.token)
        result: dict[str, Any] = response.json()["result"]
        assert not result.get("isError"), result
        return result

    def until_it_is_gone(self) -> None:
        with wire_to(self.url) as wire:
            for number in self.numbers:
                tool = list(self.tools)[number % len(self.tools)]
                text = f"Write number {number}"
                self.sent[text] = tool
                try:
                    self.send(wire, tool, text)
                except httpx.TransportError:
                    return
                self.acknowledged.add(text)
                self.answered.release()

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Amid their writes; they are done when the block has ended."""
        threads = [Thread(target=self.until_it_is_gone) for _ in range(WRITERS)]
        for thread in threads:
            thread.start()
        for _ in range(BEFORE_A_KILL):
            assert self.answered.acquire(timeout=WITHIN_S), "the server acknowledges nothing any more"
        yield
        for thread in threads:
            thread.join(WITHIN_S)
            assert not thread.is_alive()


@contextmanager
def wire_to(url: str) -> Iterator[Wire]:
    with httpx.Client(verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), timeout=WITHIN_S) as client:
        yield Wire(url, client)


def everything(person: Person, service: str, tool: str, **arguments: Any) -> list[dict[str, Any]]:
    items, cursor = [], None
    while True:
        page = person.call_tool(service, tool, limit=100, cursor=cursor, **arguments)
        items += page["items"]
        if (cursor := page["nextCursor"]) is None:
            return items


def assert_sound(stack: Stack, service: str) -> None:
    with closing(sqlite3.connect(stack.folder / f"{service}.db")) as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert database.execute("PRAGMA foreign_key_check").fetchall() == []


def written(person: Person) -> Counter[str]:
    """How often the ticketing server has each of the writers' texts."""
    tickets = everything(person, "ticketing", "search_tickets", query="Write number")
    comments = everything(person, "ticketing", "list_comments", key="ACME-2")
    return Counter([each["title"] for each in tickets] + [each["body"] for each in comments])


def told(person: Person, service: str) -> list[dict[str, Any]]:
    """All changes, from the beginning."""
    changes, position, more = list[dict[str, Any]](), 0, True
    while more:
        page = person.call_tool(service, "list_changes", after=position, limit=100)
        changes, position, more = changes + page["items"], page["position"], page["more"]
    assert [change["position"] for change in changes] == list(range(1, len(changes) + 1))
    return changes


def test_no_acknowledged_ticket_or_comment_is_lost_or_doubled(stack: Stack, as_user: AsUser) -> None:
    alice = as_user("alice")
    before = alice.call_tool("ticketing", "search_tickets", limit=1)["total"]
    writers = Writers(stack.url("ticketing"), alice.token("ticketing"), TICKETING, {COMMENT: {"key": "ACME-2"}})
    for _ in range(KILLS):
        with writers.at_work():
            kill(stack, "ticketing")
        stack.restart("ticketing")
        assert_sound(stack, "ticketing")
        found = written(alice)
        assert {text: found[text] for text in writers.acknowledged} == dict.fromkeys(writers.acknowledged, 1)
        assert found.keys() <= writers.sent.keys()

    unknown = writers.sent.keys() - writers.acknowledged
    assert 0 < len(unknown) <= KILLS * WRITERS
    with wire_to(stack.url("ticketing")) as wire:
        for text in unknown:
            writers.send(wire, writers.sent[text], text)
    assert written(alice) == Counter(writers.sent.keys())
    wanted = {TICKET: "created", COMMENT: "commented"}
    assert Counter(change["type"] for change in told(alice, "ticketing")) == Counter(
        wanted[tool] for tool in writers.sent.values()
    )
    numbers = [int(each["key"].split("-")[1]) for each in everything(alice, "ticketing", "search_tickets")]
    assert sorted(numbers) == list(range(1, before + list(writers.sent.values()).count(TICKET) + 1))


def test_no_acknowledged_team_is_lost_or_doubled(stack: Stack, as_user: AsUser) -> None:
    adam = as_user("adam")
    before = {each["displayName"] for each in everything(adam, "organizations", "list_teams")}
    writers = Writers(stack.url("organizations"), adam.token("organizations"), ORGANIZATIONS)

    def made() -> Counter[str]:
        names = [each["displayName"] for each in everything(adam, "organizations", "list_teams")]
        return Counter(name for name in names if name not in before)

    for _ in range(KILLS):
        with writers.at_work():
            kill(stack, "organizations")
        stack.restart("organizations")
        assert_sound(stack, "organizations")
        found = made()
        assert {text: found[text] for text in writers.acknowledged} == dict.fromkeys(writers.acknowledged, 1)

    with wire_to(stack.url("organizations")) as wire:
        for text in writers.sent.keys() - writers.acknowledged:
            writers.send(wire, TEAM, text)
    assert made() == Counter(writers.sent.keys())
    assert len({change["teamId"] for change in told(adam, "organizations")}) == len(writers.sent)
