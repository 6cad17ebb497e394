"""Many streams at once, and readers who are no good: nobody else waits for them, and nothing lasts longer for them."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import psutil
import pytest
from anyio.from_thread import start_blocking_portal

from scenarios.services.api.listening import PATH, WITHIN_S, listening, places

if TYPE_CHECKING:
    from harness.person import Person
    from harness.stack import Stack

AsUser = Callable[[str], "Person"]

MANY = 1000
PEOPLE = ("alice", "adam", "olivia", "rita")
MIB = 2**20
LAST_CHUNK = b"0"
"""What a stream ends with that is brought to its end, and not cut off (RFC 9112 §7.1)."""

pytestmark = pytest.mark.destructive


class Stream:
    """One that is open, and read by hand."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    @classmethod
    async def opened(cls, api: str, token: str) -> Stream:
        stream = cls(*await asyncio.open_connection("localhost", urlsplit(api).port))
        stream.writer.write(request(token))
        head = await stream.reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 "), head
        await stream.reader.readuntil(b"\n\n")
        return stream

    async def told(self) -> bytes:
        """The next event; heartbeats are none."""
        while True:
            block = await self.reader.readuntil(b"\n\n")
            if b"data: " in block:
                return block

    async def end(self) -> bytes:
        """What is left of it."""
        return await self.reader.read()


def request(token: str) -> bytes:
    return f"GET {PATH} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\r\n".encode()


async def opened(api: str, tokens: Sequence[str], within: AsyncExitStack) -> list[Stream]:
    """As many as there are tokens, some at a time, until the end of ``within``."""
    turns = asyncio.Semaphore(20)

    async def one(token: str) -> Stream:
        async with turns:
            stream = await Stream.opened(api, token)
        within.callback(stream.writer.close)
        return stream

    return await asyncio.gather(*map(one, tokens))


def with_many(
    stack: Stack, as_user: AsUser, then: Callable[[list[Stream]], Awaitable[None]], *, people: Sequence[str] = PEOPLE
) -> None:
    """Do something while very many listen."""
    tokens = [as_user(name).token("api") for name in people]

    async def scenario() -> None:
        async with AsyncExitStack() as within:
            streams = await opened(stack.url("api"), [tokens[n % len(tokens)] for n in range(MANY)], within)
            async with asyncio.timeout(60):
                await then(streams)

    with start_blocking_portal() as portal:  # in a thread of its own: a browser may have a loop running in this one
        portal.call(scenario)


def resident(stack: Stack, service: str) -> int:
    """Bytes of memory."""
    rss: int = psutil.Process(stack.describe()["services"][service]["pid"]).memory_info().rss
    return rss


def test_a_thousand_who_listen_are_told_at_once_and_hold_nobody_up(stack: Stack, as_user: AsUser) -> None:
    adam = as_user("adam")
    adam.api.get("/api/tickets").raise_for_status()
    before = {name: resident(stack, name) for name in ("api", "ticketing", "organizations")}

    async def then(streams: list[Stream]) -> None:
        grown = {name: resident(stack, name) - size for name, size in before.items()}
        assert grown["api"] < 100 * MIB
        assert max(grown["ticketing"], grown["organizations"]) < 30 * MIB
        made = await asyncio.to_thread(lambda: adam.api.post("/api/teams", json={"displayName": "Plumbers"}))
        told = await asyncio.gather(*(stream.told() for stream in streams))
        assert all(made.json()["id"].encode() in each for each in told)
        assert all("id: 0.1\n" in places(each.decode()) for each in told)

    with_many(stack, as_user, then, people=PEOPLE[:3])  # who asks for something does not see teams


def test_a_thousand_who_listen_are_a_few_long_polls(stack: Stack, as_user: AsUser) -> None:
    began = time.monotonic()

    async def then(_: list[Stream]) -> None:
        asked = [entry for entry in stack.journal(since=began) if entry["rpc"] == "tools/call list_changes"]
        assert len(asked) < MANY / 4  # those who came before the first of a token was there asked for themselves

    with_many(stack, as_user, then)


@pytest.mark.parametrize("what", ["reset", "restart"])
def test_a_thousand_who_listen_delay_neither_reset_nor_stop(stack: Stack, as_user: AsUser, what: str) -> None:
    async def then(streams: list[Stream]) -> None:
        await asyncio.to_thread(lambda: stack.reset() if what == "reset" else stack.restart("api"))
        ends = await asyncio.gather(*(stream.end() for stream in streams), return_exceptions=True)
        if what == "restart":
            assert {each.strip() for each in ends if isinstance(each, bytes)} == {LAST_CHUNK}

    with_many(stack, as_user, then)


def test_a_stream_is_for_one_reader_and_kept_by_nobody(stack: Stack, as_user: AsUser) -> None:
    answer = as_user("alice").api.get(PATH, params={"follow": "false"})
    expected = {
        "Content-Type": "text/event-stream; charset=utf-8",
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    }
    assert {name: answer.headers[name] for name in expected} == expected
    assert places(answer.text) == "retry: 1000\nid: 0.0\n\n"


def test_who_stops_sending_has_hung_up(stack: Stack, as_user: AsUser) -> None:
    token = as_user("alice").token("api")
    with listening(stack.url("api"), token) as told:
        port = urlsplit(stack.url("api")).port
        with socket.create_connection(("localhost", port), timeout=WITHIN_S) as plug:
            plug.sendall(request(token))
            assert plug.recv(1 << 16).startswith(b"HTTP/1.1 200 ")
            plug.shutdown(socket.SHUT_WR)
            while plug.recv(1 << 16):
                pass
        as_user("adam").api.post("/api/teams", json={"displayName": "Plumbers"}).raise_for_status()
        told.until(lambda it: len(it.told) == 1)


def test_who_does_not_read_holds_nobody_up(stack: Stack, as_user: AsUser) -> None:
    alice = as_user("alice")
    with (
        socket.create_connection(("localhost", urlsplit(stack.url("api")).port), timeout=WITHIN_S) as plug,
        listening(stack.url("api"), alice.token("api")) as told,
    ):
        plug.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
        plug.sendall(request(alice.token("api")))
        keys = [alice.api.post("/api/tickets", json={"title": f"{n}"}).json()["key"] for n in range(20)]
        told.until(lambda it: len(it.told) == len(keys))
        assert told.gist == [("ticket.created", key) for key in keys]
