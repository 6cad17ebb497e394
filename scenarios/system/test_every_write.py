"""For every write: REST, MCP and the web interface show the same at once, and it is told once, of the same person."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing
from itertools import count
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from playwright.sync_api import Page, expect

from scenarios.system.pages import Tickets
from scenarios.system.writes import NOT_SHARED, WRITES, Hand, Write

if TYPE_CHECKING:
    from harness.stack import Stack

pytestmark = pytest.mark.xdist_group("every-write")  # begun first: it takes long

SURFACES = ("rest", "tool")


def test_every_write_operation_of_the_document_is_here(shared_stack: Stack) -> None:
    """One that is added must be shown to be the same everywhere, too."""
    written = {
        operation["operationId"]
        for methods in httpx.get(shared_stack.url("api") + "/openapi.json").json()["paths"].values()
        for method, operation in methods.items()
        if method != "get"
    }
    assert written - NOT_SHARED.keys() == WRITES.keys()


@pytest.fixture
def hand(stack: Stack) -> Iterator[Callable[[str], Hand]]:
    """``hand("olivia")``: each of them in a trace of their own."""
    with ExitStack() as opened:
        traces = count(1)
        yield lambda who: opened.enter_context(closing(Hand(stack.sign_in(who), f"{next(traces):032x}")))


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_a_write_is_shown_alike_and_told_once(stack: Stack, hand: Callable[[str], Hand], write: Write) -> None:
    watcher = hand("olivia")
    for surface, acted_for in (("rest", "api"), ("tool", None)):
        who = write.by if write.invited is None else _invited(stack, watcher, write.invited[SURFACES.index(surface)])
        writer, began = hand(who), _places(watcher)
        name = _do(write, surface, writer)
        shown = _is_the_same_everywhere(watcher, write, name)
        assert write.shows in json.dumps(shown, ensure_ascii=False)
        change = _told_once(watcher, write, name, since=began)
        assert (change["actorId"], change["actingId"], change["traceId"]) == (writer.id, acted_for, writer.trace)
        if surface == "rest":
            heard = [entry for entry in stack.journal() if entry["trace"] == writer.trace]
            assert {entry["service"] for entry in heard} >= {"api", write.server}
            assert {entry["claims"]["sub"] for entry in heard if "sub" in entry["claims"]} == {writer.id}


def test_a_page_shows_at_once_what_was_written_elsewhere(
    hand: Callable[[str], Hand], page_as: Callable[[str], Page]
) -> None:
    page, olivia = page_as("olivia"), hand("olivia")
    for write in WRITES.values():
        for surface in SURFACES if write.has_page else ():
            key = _do(write, surface, olivia)
            if write.event == "deleted":  # its own page would not find it, which fails a scenario
                page.goto("/tickets")
                expect(Tickets(page).row("ACME-").first).to_be_visible()
                expect(page.get_by_role("link", name=f"{key} ")).to_have_count(0)
            else:
                page.goto(f"/tickets/{key}")
                expect(page.get_by_role("main").get_by_text(write.page).first).to_be_visible()


def test_what_is_written_in_a_page_is_shown_alike_and_told_once(
    hand: Callable[[str], Hand], page_as: Callable[[str], Page]
) -> None:
    write, olivia = WRITES["createTicket"], hand("olivia")
    began = _places(olivia)
    page = page_as("olivia")
    Tickets(page).create(write.page)
    expect(Tickets(page).row(write.page)).to_be_visible()
    [item] = olivia.tool("ticketing", "list_changes", **began["ticketing"])["items"]
    change = _told_once(olivia, write, item["key"], since=began)
    assert (change["actorId"], change["actingId"]) == (olivia.id, "api")
    assert _is_the_same_everywhere(olivia, write, item["key"])["ticket"]["title"] == write.page


def _invited(stack: Stack, watcher: Hand, email: str) -> str:
    """Somebody who has an account by now, and is still to accept."""
    WRITES["inviteMember"].rest(watcher, email)
    stack.control("idp").put_user(username := f"acme:{email}", active=True)
    return username


def _do(write: Write, surface: str, hand: Hand) -> str:
    about = write.about[SURFACES.index(surface)]
    return write.rest(hand, about) if surface == "rest" else write.tool(hand, about)


def _places(watcher: Hand) -> dict[str, dict[str, Any]]:
    """Where the feeds end: what `list_changes` takes to go on from there."""
    ends = {server: watcher.tool(server, "list_changes") for server in ("ticketing", "organizations")}
    return {server: {"after": end["position"], "mark": end["mark"]} for server, end in ends.items()}


def _told_once(watcher: Hand, write: Write, name: str, *, since: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """The change that the feed tells of a write, which is the only one, and the only event.

    Of a ticket it is in the history, too.
    """
    [change] = watcher.tool(write.server, "list_changes", **since[write.server])["items"]
    assert change["type"] == write.event
    assert name in change.values()
    last = {"Last-Event-ID": ".".join(f"{place['after']}-{place['mark']}" for place in since.values())}
    told = watcher.api.get("/api/events?follow=false", headers=last).text.splitlines()
    [event] = [json.loads(line.removeprefix("data:")) for line in told if line.startswith("data:")]
    kind = f"ticket.{write.event}" if write.server == "ticketing" else write.event
    assert (event["id"], event["type"], event["source"]) == (change["id"], f"org.example.{kind}.v1", f"/{write.server}")
    assert {event["data"][each] for each in ("actorId", "traceId")} == {change["actorId"], change["traceId"]}
    if write.server == "ticketing" and write.event != "deleted":
        history = watcher.tool("ticketing", "get_ticket_history", key=name, limit=100)["items"]
        [entry] = [each for each in history if each["traceId"] == change["traceId"]]
        assert (entry["type"], entry["seq"]) == (write.event, change["version"])
        assert (entry["actor"]["sub"], entry["actor"]["act"]) == (change["actorId"], change["actingId"])
    return dict(change)


def _is_the_same_everywhere(watcher: Hand, write: Write, name: str) -> dict[str, Any]:
    """What REST shows of a thing, which is what the tools tell."""
    views = list(_of_a_ticket(name) if write.server == "ticketing" else _of_people(write, name))
    shown = {view: watcher.api.get(path).json() for view, path, _, _ in views}
    told = {view: watcher.tool(write.server, tool, **arguments) for view, _, tool, arguments in views}
    assert _within(shown, told) == shown
    return shown


def _of_a_ticket(key: str) -> Iterator[tuple[str, str, str, dict[str, Any]]]:
    yield "ticket", f"/api/tickets/{key}", "get_ticket", {"key": key}
    yield "comments", f"/api/tickets/{key}/comments?limit=100", "list_comments", {"key": key, "limit": 100}
    yield "history", f"/api/tickets/{key}/history?limit=100", "get_ticket_history", {"key": key, "limit": 100}
    yield "listed", "/api/tickets?limit=100", "search_tickets", {"limit": 100}
    yield "counted", "/api/tickets/stats?groupBy=status", "ticket_stats", {"group_by": "status"}


def _of_people(write: Write, name: str) -> Iterator[tuple[str, str, str, dict[str, Any]]]:
    if write.event.startswith("team."):
        yield "team", f"/api/teams/{name}", "get_team", {"team_id": name}
        yield "listed", "/api/teams?limit=100", "list_teams", {"limit": 100}
    else:
        yield "member", f"/api/members/{name}", "get_member", {"user_id": name}
        yield "listed", "/api/members?limit=100", "list_members", {"limit": 100}


def _within(shown: Any, told: Any) -> Any:
    """What is ``told``, less what REST leaves out of it."""
    if isinstance(shown, dict) and isinstance(told, dict):
        return {name: _within(value, told.get(name)) for name, value in shown.items()}
    if isinstance(shown, list) and isinstance(told, list) and len(shown) == len(told):
        return [_within(one, other) for one, other in zip(shown, told, strict=True)]
    return told
