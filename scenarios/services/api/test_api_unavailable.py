"""When another service is down, the api says so, and recovers with it."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from scenarios.services.api.answers import events, refused, said
from scenarios.services.processes import kill

if TYPE_CHECKING:
    from harness.person import Person
    from harness.stack import Stack

AsUser = Callable[[str], "Person"]


@pytest.mark.destructive
def test_while_ticketing_is_down_only_tickets_are_unavailable(stack: Stack, as_user: AsUser) -> None:
    alice = as_user("alice")
    alice.api.get("/api/tickets").raise_for_status()
    kill(stack, "ticketing")
    refused(alice.api.get("/api/tickets"), 503, "unavailable")
    refused(alice.api.get("/api/tickets/ACME-1"), 503, "unavailable")
    refused(alice.api.post("/api/tickets", json={"title": "Into the void"}), 503, "unavailable")
    assert alice.api.get("/api/me").json()["username"] == "alice"

    stream = events(alice.api.post("/api/chat", json={"message": "show ACME-1"}))
    assert stream[-1]["type"] == "RUN_ERROR"
    assert stream[-1]["code"] == "unavailable"
    assert "ticketing service cannot be reached" in stream[-1]["message"]
    thread = stream[0]["threadId"]

    stack.restart("ticketing")
    assert alice.api.get("/api/tickets/ACME-1").json()["key"] == "ACME-1"
    again = events(alice.api.post("/api/chat", json={"message": "show ACME-1", "threadId": thread}))
    assert "VPN drops" in said(again)


@pytest.mark.destructive
def test_while_the_identity_provider_is_down_only_who_needs_it_is_turned_away(stack: Stack, as_user: AsUser) -> None:
    alice, adam = as_user("alice"), as_user("adam")
    alice.api.get("/api/tickets").raise_for_status()
    adam.token("api")
    kill(stack, "idp")
    assert alice.api.get("/api/tickets/ACME-1").json()["key"] == "ACME-1"
    problem = refused(adam.api.get("/api/tickets/ACME-1"), 503, "unavailable")
    assert "identity provider" in problem["detail"]

    stack.restart("idp")
    assert adam.api.get("/api/tickets/ACME-1").json()["key"] == "ACME-1"


@pytest.mark.destructive
def test_a_service_that_comes_back_is_there_for_everybody_at_once(stack: Stack, as_user: AsUser) -> None:
    """The circuit is open by then; nobody has to wait for it to close."""
    people = [as_user(name) for name in ("alice", "adam", "olivia")]
    kill(stack, "ticketing")
    for person in people:
        refused(person.api.get("/api/tickets"), 503, "unavailable")
    stack.restart("ticketing")
    with ThreadPoolExecutor(len(people)) as pool:
        statuses = list(pool.map(lambda person: person.api.get("/api/tickets").status_code, people))
    assert statuses == [200, 200, 200]
