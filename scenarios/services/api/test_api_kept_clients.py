"""A caller's client is kept while their token is good, and nobody else ever gets it."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable

import anyio
import httpx2
import pytest
from anyio.from_thread import start_blocking_portal

from services.api import mcp_client
from services.api.mcp_client import KeptClients, McpClient, make_client

ALICE, BOB = ("ticketing", "token of alice"), ("ticketing", "token of bob")


def a_client() -> McpClient:
    nowhere = httpx2.MockTransport(lambda _: httpx2.Response(500))
    return make_client("http://localhost/mcp", nowhere, timeout=1, answers_questions=False)


def run(test: Callable[[KeptClients], Awaitable[None]]) -> None:
    async def scenario() -> None:
        clients = KeptClients()
        try:
            await test(clients)
        finally:
            await clients.close()

    with start_blocking_portal() as portal:
        portal.call(scenario)


async def got(clients: KeptClients, key: tuple[str, str], *, lasts: float = 60) -> McpClient:
    async with clients.client(key, until=time.time() + lasts, make=a_client) as client:
        assert client.is_connected()
        return client


def test_the_same_caller_gets_the_same_client_and_another_one_their_own() -> None:
    async def scenario(clients: KeptClients) -> None:
        first = await got(clients, ALICE)
        assert await got(clients, BOB) is not first
        assert await got(clients, ALICE) is first
        assert await got(clients, ("organizations", ALICE[1])) is not first

    run(scenario)


def test_calls_that_come_together_open_one_client() -> None:
    async def scenario(clients: KeptClients) -> None:
        found: list[McpClient] = []

        async def get() -> None:
            found.append(await got(clients, ALICE))

        async with anyio.create_task_group() as group:
            for _ in range(10):
                group.start_soon(get)
        assert len({id(client) for client in found}) == 1

    run(scenario)


def test_who_has_a_token_that_is_over_loses_the_client_unless_it_is_still_used() -> None:
    async def scenario(clients: KeptClients) -> None:
        over = await got(clients, ALICE, lasts=-1)
        async with clients.client(BOB, until=0, make=a_client) as used:
            await got(clients, ("organizations", "another"))
            assert not over.is_connected()
            assert used.is_connected()

    run(scenario)


def test_not_more_are_kept_than_may_be_and_the_longest_unused_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mcp_client, "MOST", 2)

    async def scenario(clients: KeptClients) -> None:
        alice, bob = await got(clients, ALICE), await got(clients, BOB)
        assert await got(clients, ALICE) is alice
        await got(clients, ("ticketing", "a third"))
        assert not bob.is_connected()
        assert alice.is_connected()

    run(scenario)


def test_a_client_whose_session_has_ended_is_replaced() -> None:
    async def scenario(clients: KeptClients) -> None:
        ended = await got(clients, ALICE)
        await ended.close()  # type: ignore[no-untyped-call]
        assert await got(clients, ALICE) is not ended

    run(scenario)
