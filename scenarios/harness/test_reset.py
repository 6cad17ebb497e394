"""``stack.reset()``: the world begins anew in the running processes, and nothing of the former one is left."""

from __future__ import annotations

import base64
from collections.abc import Callable

import httpx
import pytest

from harness.person import Person
from harness.stack import Stack


def pids(stack: Stack) -> dict[str, int]:
    return {name: service["pid"] for name, service in stack.describe()["services"].items()}


@pytest.mark.destructive
def test_after_a_reset_everything_is_as_at_the_beginning(stack: Stack, as_user: Callable[[str], Person]) -> None:
    before, alice = pids(stack), as_user("alice")
    tickets = alice.api.get("/api/tickets").json()
    created = alice.api.post("/api/tickets", json={"title": "Of the former world"}).json()["key"]

    stack.reset()

    again = as_user("alice")
    assert pids(stack) == before
    assert again.api.get(f"/api/tickets/{created}").status_code == 404
    assert again.api.get("/api/tickets").json() == tickets
    assert again.api.post("/api/tickets", json={"title": "Of the new world"}).json()["key"] == created


@pytest.mark.destructive
def test_a_token_of_the_former_world_is_worth_nothing(
    stack: Stack, as_user: Callable[[str], Person], nobody: httpx.Client
) -> None:
    token = as_user("alice").token("api")
    headers = {"Authorization": f"Bearer {token}"}
    assert nobody.get(f"{stack.url('api')}/api/me", headers=headers).status_code == 200

    stack.reset()

    assert nobody.get(f"{stack.url('api')}/api/me", headers=headers).status_code == 401


@pytest.mark.destructive
def test_a_conversation_of_the_former_world_is_unknown(stack: Stack, as_user: Callable[[str], Person]) -> None:
    def say(message: str, thread: str | None) -> httpx.Response:
        return as_user("alice").api.post("/api/chat", json={"threadId": thread, "message": message})

    thread = say("show ACME-1", None).text.partition('"threadId":"')[2].partition('"')[0]
    assert say("show ACME-2", thread).status_code == 200

    stack.reset()

    assert say("show ACME-3", thread).status_code == 404


@pytest.mark.destructive
def test_only_who_knows_the_secret_can_reset(stack: Stack, nobody: httpx.Client) -> None:
    for headers in ({}, {"Authorization": "Bearer guess"}):
        refused = nobody.post(f"{stack.url('ticketing')}/_sim/reset/end", headers=headers)
        assert refused.status_code == 404
    assert nobody.get(f"{stack.url('ticketing')}/healthz").status_code == 200


def test_the_journal_tells_who_asked_whom_for_what_and_never_a_token(
    stack: Stack, as_user: Callable[[str], Person]
) -> None:
    alice = as_user("alice")
    alice.api.get("/api/tickets/ACME-1")

    calls = [(call["service"], call["method"], call["path"], call["status"]) for call in stack.journal()]
    assert ("api", "GET", "/api/tickets/ACME-1", 200) in calls
    tool = next(call for call in stack.journal() if call["rpc"] == "tools/call get_ticket")
    assert (tool["service"], tool["caller"].partition(" by ")[2]) == ("ticketing", "api")
    assert tool["claims"]["aud"] == stack.audience("ticketing")
    assert alice.token("api").rpartition(".")[2] not in str(stack.journal())
    stack.reset()
    assert stack.journal() == []


def test_a_hostile_body_or_token_is_no_trouble_for_the_journal(stack: Stack, nobody: httpx.Client) -> None:
    deep = b"[" * 100_000
    token = "e30." + base64.urlsafe_b64encode(deep).decode().rstrip("=")[:40_000] + ".x"
    for headers in ({}, {"Authorization": f"Bearer {token}"}):
        answer = nobody.post(f"{stack.url('ticketing')}/mcp", content=deep, headers=headers)
        assert answer.status_code in (400, 401, 431)
    assert nobody.get(f"{stack.url('ticketing')}/healthz").status_code == 200
