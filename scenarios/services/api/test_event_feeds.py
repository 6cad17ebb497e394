"""Following a feed of changes: far behind or not, with services that do not answer, and with tokens that get old."""

from __future__ import annotations

import json
import ssl
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any

import anyio
import pytest
from anyio.from_thread import start_blocking_portal

from scenarios.services.api.callers import a_caller
from scenarios.services.api.stand_in import Answer, Received, Script, StandIn, standing_in
from services.api import connections
from services.api.circuit import FAILURES
from services.api.connections import Connections, connect
from services.api.events import stream, watch
from services.api.events.feed import WAIT_S, Feed, Part, Place, Told
from services.api.events.stream import Bookmark, Follower
from services.api.events.watch import Channel, Watches
from services.api.settings import ApiSettings
from services.shared.problems import Unavailable

MARK = "m" * 16
TLS = ssl.create_default_context()


def a_part(request: Received, *, position: int) -> Answer:
    """An empty part of a feed, in answer to a call of ``list_changes``."""
    page = {"items": [], "position": position, "mark": "a" * 16, "more": False}
    result = {"content": [], "structuredContent": page, "resultType": "complete", "isError": False}
    return Answer(body={"jsonrpc": "2.0", "id": json.loads(request.body)["id"], "result": result})


def arguments(request: Received) -> dict[str, Any]:
    """Those of the call."""
    given: dict[str, Any] = json.loads(request.body)["params"]["arguments"]
    return given


def services(mcp: Callable[[Received], Answer], *, expires_in: int = 300) -> Script:
    """An identity provider whose tokens are numbered, and an MCP server."""
    numbers = count(1)

    def answer(request: Received) -> Answer:
        if request.path == "/token":
            return Answer(body={"access_token": f"exchanged-{next(numbers)}", "expires_in": expires_in})
        return mcp(request)

    return answer


@asynccontextmanager
async def connected(server: StandIn) -> AsyncIterator[Connections]:
    """All that the api has for callers, with the stand-in in every part."""
    everywhere = dict.fromkeys(("issuer_url", "ticketing_url", "organizations_url", "api_url", "ui_url"), server.url)
    settings = ApiSettings.model_validate(
        everywhere | {"api_client_secret": "s3cret", "instance_nonce": "here", "api_database_url": "sqlite://"}
    )
    async with connect(settings, tls=TLS) as made:
        yield made


def run(server: StandIn, scenario: Callable[[Connections, Feed], Any]) -> None:
    """With the feed of tickets as one caller has it."""

    async def then() -> None:
        async with connected(server) as made:
            tickets, _ = made.feeds(a_caller())
            await scenario(made, tickets)

    with start_blocking_portal() as portal:
        portal.call(then)


def test_a_feed_that_cannot_be_followed_stops_no_other_call() -> None:
    """Long polls are told apart: they come to no answer for reasons of their own, and take long."""

    async def scenario(made: Connections, feed: Feed) -> None:
        for _ in range(FAILURES):
            with pytest.raises(Unavailable):
                await feed.after(Place(0), wait=True)
        patient, _ = made.patient_servers
        assert patient.circuit.open
        assert not made.ticketing_server.circuit.open

    with standing_in(services(lambda _: Answer(status=None))) as server:
        run(server, scenario)


def test_a_server_in_doubt_is_tried_without_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """All others wait for the outcome."""
    monkeypatch.setattr(connections, "alive", lambda *_: lives)
    asked: list[int] = []

    async def lives() -> bool:
        return True

    def mcp(request: Received) -> Answer:
        asked.append(arguments(request)["wait_seconds"])
        return a_part(request, position=0)

    async def scenario(made: Connections, feed: Feed) -> None:
        patient, _ = made.patient_servers
        for _ in range(FAILURES):
            patient.circuit.note(answered=False)
        await feed.after(Place(0), wait=True)
        await feed.after(Place(0), wait=True)

    with standing_in(services(mcp)) as server:
        run(server, scenario)
    assert asked == [0, WAIT_S]


def test_each_call_goes_with_a_token_that_is_still_good() -> None:
    async def scenario(_: Connections, feed: Feed) -> None:
        await feed.after(Place(0), wait=True)
        await feed.after(Place(0), wait=True)

    with standing_in(services(lambda request: a_part(request, position=0), expires_in=1)) as server:
        run(server, scenario)
        assert [each.headers["authorization"] for each in server.asked("/mcp")] == [
            "Bearer exchanged-1",
            "Bearer exchanged-2",
        ]


def positions(part: Part) -> tuple[list[int], int]:
    """Of the events, and where to go on."""
    return [told.place.position for told in part.events], part.place.position


@dataclass
class Changes:
    """A feed of numbered changes that somebody fills, a few to a part. ``asked`` is what it was asked for."""

    end: int = 0
    asked: list[int | None] = field(default_factory=list)
    name: str = "ticketing"
    down: bool = False

    async def after(self, place: Place | None, *, wait: bool = False) -> Part:
        position = None if place is None else place.position
        self.asked.append(position)
        if self.down:
            raise Unavailable("It is down.")
        if wait and position == self.end:
            await anyio.sleep_forever()
        begin = self.end if position is None else position
        told = [Told(Place(number, MARK), b"") for number in range(begin + 1, min(begin + 5, self.end) + 1)]
        return Part(told, told[-1].place if told else Place(begin, MARK), more=begin + 5 < self.end)


def test_who_is_far_behind_reads_anew_and_who_is_not_is_told_what_was_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "KEPT", 10)
    changes = Changes(end=20)
    channel = Channel(changes, Place(0, MARK))  # type: ignore[arg-type]

    async def scenario() -> None:
        for _ in range(4):
            await channel.read_on()
        changes.asked.clear()
        part = await channel.after(Place(10, MARK))
        assert positions(part) == (list(range(11, 21)), 20)
        assert changes.asked == []
        assert channel.knows(Place(10, MARK))
        assert not channel.knows(Place(9, MARK))
        assert not channel.knows(Place(10, "b" * 16))
        part = await channel.after(Place(9, MARK))
        assert positions(part) == (list(range(10, 15)), 14)
        assert changes.asked == [9]

    with start_blocking_portal() as portal:
        portal.call(scenario)


def test_a_service_that_does_not_wait_is_not_asked_in_a_circle() -> None:
    """One that is to stop answers at once, with nothing."""

    @dataclass
    class Leaving(Changes):
        async def after(self, place: Place | None, **_: bool) -> Part:
            self.asked.append(None if place is None else place.position)
            return Part([], place or Place(0), more=False)

    changes = Leaving()
    caller = replace(a_caller(), expires_at=int(time.time()) + 60)

    async def scenario() -> None:
        watches = Watches()
        async with watches.joined(caller, [changes], {"ticketing": Place(0)}):  # type: ignore[list-item]
            await anyio.sleep(0.3)
            assert len(changes.asked) == 1

    with start_blocking_portal() as portal:
        portal.call(scenario)


def test_a_stream_goes_on_while_a_service_is_down_and_misses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "PAUSE_S", 0.05)
    monkeypatch.setattr(stream, "HEARTBEAT_S", 0.2)
    changes = Changes(down=True)
    caller = replace(a_caller(), expires_at=int(time.time()) + 60)
    bookmark = Bookmark(["ticketing"], {"ticketing": Place(0)})

    async def scenario() -> None:
        pieces = await Follower(caller, [changes], bookmark, Watches()).future()  # type: ignore[list-item]
        assert await anext(pieces) == b"retry: 1000\nid: 0\n\n"
        assert await anext(pieces) == b":\n\n"
        changes.down, changes.end = False, 2
        assert [await anext(pieces) for _ in range(3)] == [
            f"id: 1-{MARK}\n\n".encode(),
            f"id: 2-{MARK}\n\n".encode(),
            b":\n\n",
        ]
        await pieces.aclose()  # type: ignore[attr-defined]

    with start_blocking_portal() as portal:
        portal.call(scenario)


def test_who_begins_now_begins_at_the_end_although_another_of_the_same_token_is_far_behind() -> None:
    changes = Changes(end=20)
    caller = replace(a_caller(), expires_at=int(time.time()) + 60)

    async def scenario() -> None:
        watches = Watches()

        async def opening(bookmark: Bookmark) -> tuple[AsyncIterator[bytes], bytes]:
            pieces = await Follower(caller, [changes], bookmark, watches).future()  # type: ignore[list-item]
            return pieces, await anext(pieces)

        behind, opened = await opening(Bookmark(["ticketing"], {"ticketing": Place(1, MARK)}))
        assert opened == f"retry: 1000\nid: 1-{MARK}\n\n".encode()
        told = [await anext(behind) for _ in range(3)]
        for _ in range(3):
            fresh, opened = await opening(Bookmark(["ticketing"]))
            assert opened == f"retry: 1000\nid: 20-{MARK}\n\n".encode()
            await fresh.aclose()  # type: ignore[attr-defined]
        told += [await anext(behind) for _ in range(16)]
        assert told == [f"id: {number}-{MARK}\n\n".encode() for number in range(2, 21)]
        await behind.aclose()  # type: ignore[attr-defined]

    with start_blocking_portal() as portal:
        portal.call(scenario)
