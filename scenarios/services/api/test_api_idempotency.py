"""Idempotency-Key: whoever did not hear the answer asks again, and the request is done once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import anyio
import pytest
from anyio.from_thread import start_blocking_portal

from scenarios.services.api.answers import refused
from scenarios.services.api.callers import a_caller
from scenarios.services.api.stand_in import Answer, Received, StandIn, standing_in
from scenarios.services.api.test_api_exchange import Told, downstream, mcp, result
from services.api.idempotency import InFlight
from services.api.mcp_server import Downstream, McpServer

if TYPE_CHECKING:
    from harness.person import Person
    from harness.stack import Stack

AsUser = Callable[[str], "Person"]
Member = Callable[[str], "Person"]

KEY = {"Idempotency-Key": "a-wish"}


def test_the_same_request_again_is_answered_as_the_first_time(stack: Stack, as_user: AsUser) -> None:
    alice = as_user("alice")
    total = alice.api.get("/api/tickets").json()["total"]
    first, *again = (alice.api.post("/api/tickets", json={"title": "Once"}, headers=KEY) for _ in range(3))
    assert first.status_code == 201
    assert {(answer.status_code, answer.text) for answer in again} == {(201, first.text)}
    assert {answer.headers["Location"] for answer in again} == {first.headers["Location"]}
    assert alice.api.get("/api/tickets").json()["total"] == total + 1


def test_a_key_is_for_one_request_and_one_caller(stack: Stack, as_user: AsUser) -> None:
    alice, adam = as_user("alice"), as_user("adam")
    first = alice.api.post("/api/tickets", json={"title": "Mine"}, headers=KEY)
    other = refused(alice.api.post("/api/tickets", json={"title": "Another"}, headers=KEY), 422, "invalid")
    assert [flaw["pointer"] for flaw in other["errors"]] == ["header.Idempotency-Key"]
    theirs = adam.api.post("/api/tickets", json={"title": "Another"}, headers=KEY)
    assert theirs.json()["key"] != first.json()["key"]
    comment = alice.api.post(f"{first.headers['Location']}/comments", json={"body": "Same key"}, headers=KEY)
    assert comment.status_code == 201


def test_a_key_outlives_the_api(stack: Stack, as_user: AsUser) -> None:
    alice = as_user("alice")
    first = alice.api.post("/api/tickets", json={"title": "Once"}, headers=KEY)
    stack.restart("api")
    assert alice.api.post("/api/tickets", json={"title": "Once"}, headers=KEY).text == first.text


@pytest.mark.parametrize("key", ["", "a b", "a" * 101, "é"])
def test_what_cannot_be_a_key_is_named(member: Member, key: str) -> None:
    answer = member("alice").api.post("/api/tickets", json={"title": ""}, headers={b"Idempotency-Key": key.encode()})
    assert "header.Idempotency-Key" in [flaw["pointer"] for flaw in refused(answer, 422, "invalid")["errors"]]


def test_while_the_first_is_under_way_the_second_is_told_to_wait() -> None:
    asked, go_on = threading.Event(), threading.Event()

    def slow(_: Received, message: dict[str, Any]) -> Answer:
        asked.set()
        assert go_on.wait(timeout=10)
        return result(message, {"word": "done"})

    async def create(ticketing: Downstream, key: str) -> Told:
        return await McpServer(ticketing, a_caller()).create("tell", {}, Told, key=key)

    async def scenario(server: StandIn) -> None:
        async with downstream(server) as ticketing, anyio.create_task_group() as group:
            group.start_soon(create, ticketing, "a")
            await anyio.to_thread.run_sync(asked.wait)
            with pytest.raises(InFlight):
                await create(ticketing, "a")
            go_on.set()
            assert await create(ticketing, "b") == Told(word="done")
        assert len(server.asked("/mcp")) == 2

    with standing_in(mcp(slow)) as server, start_blocking_portal() as portal:
        portal.call(scenario, server)


def test_a_creation_without_a_key_gets_one_and_may_be_tried_again() -> None:
    """An answer that was lost on the way must not make two tickets of one."""
    keys: list[str] = []

    def lost_at_first(_: Received, message: dict[str, Any]) -> Answer:
        keys.append(message["params"]["arguments"]["idempotency_key"])
        return result(message, {"word": "done"}) if len(keys) > 1 else Answer(None)

    async def scenario(server: StandIn) -> Told:
        async with downstream(server) as ticketing:
            return await McpServer(ticketing, a_caller()).create("tell", {}, Told, key=None)

    with standing_in(mcp(lost_at_first)) as server, start_blocking_portal() as portal:
        assert portal.call(scenario, server) == Told(word="done")
    assert len(keys) == 2
    assert keys[0] == keys[1]
