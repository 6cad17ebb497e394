"""When another service is down, the api says so, and recovers with it."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from scenarios.services.api.answers import events, refused, said

if TYPE_CHECKING:
    from harness.person import Person
    from harness.stack import Stack

AsUser = Callable[[str], "Person"]


def kill(stack: Stack, service: str) -> None:
    """End a service without a farewell."""
    os.kill(stack.describe()["services"][service]["pid"], signal.SIGKILL)


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
