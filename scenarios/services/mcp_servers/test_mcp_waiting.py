"""Waiting for news of a feed: with nothing that others would miss, and not longer than there is a reason to."""

from __future__ import annotations

import json
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from scenarios.harness import checkout
from scenarios.services.mcp_servers import diary
from scenarios.services.mcp_servers.diary import Diary
from scenarios.services.mcp_servers.serving import serving
from scenarios.services.mcp_servers.wire import MODERN, Wire, request, tool_call
from services.shared import news

if TYPE_CHECKING:
    from harness.person import Person
    from harness.stack import Stack

AsUser = Callable[[str], "Person"]
LONG, WITHIN_S, AT_ONCE_S = 20, 10.0, 5.0
PATIENCE_S = 60.0
"""For what has no hurry, on a machine that has much else to do."""
WRITES: Mapping[str, tuple[str, dict[str, Any]]] = {
    "ticketing": ("create_ticket", {"title": "Kettle leaks"}),
    "organizations": ("create_team", {"display_name": "Plumbers"}),
}
BOTH = pytest.mark.parametrize("service", WRITES)
ERAS = pytest.mark.parametrize("era", [MODERN, "2025-11-25"])


def call(wire: Wire, tool: str, arguments: dict[str, Any], *, token: str, era: str = MODERN) -> httpx.Response:
    """Call a tool; in the eras before 2026-07-28, in a session that is begun for it."""
    message = tool_call(tool, arguments, era=era)
    headers = dict(message.headers)
    if era != MODERN:
        about = {"protocolVersion": era, "capabilities": {}, "clientInfo": {"name": "scenario", "version": "1"}}
        begun = wire.send(request("initialize", about, era=era), token=token)
        headers["Mcp-Session-Id"] = begun.headers["Mcp-Session-Id"]
        wire.post({"jsonrpc": "2.0", "method": "notifications/initialized"}, token=token, headers=headers)
    return wire.post(message.body, token=token, headers=headers)


def content(response: httpx.Response) -> dict[str, Any]:
    """What a tool answered, whether its answer came as JSON or as the event of a stream."""
    told = response.text
    if response.headers["Content-Type"].startswith("text/event-stream"):
        told = next(line[5:] for line in told.splitlines() if line.startswith("data:"))
    answer: dict[str, Any] = json.loads(told)["result"]["structuredContent"]
    return answer


def nothing(page: dict[str, Any]) -> bool:
    """Whether it is the page of a feed in which nothing has happened."""
    return (page["items"], page["position"], page["more"]) == ([], 0, False)


until = partial(checkout.until, within=PATIENCE_S, otherwise="it never came to that")


@dataclass
class Reading:
    """A diary that is served, and calls to it in threads of the scenario."""

    diary: Diary
    wire: Wire
    threads: ThreadPoolExecutor
    mint: Callable[[int], str]

    def begin(self, *, after: int = 0, wait: int = LONG, era: str = MODERN, ttl: int = 600) -> Future[httpx.Response]:
        """Call, and come back when the call waits."""
        waiting = self.diary.news.waiting
        arguments = {"after": after, "wait_seconds": wait}
        answer = self.threads.submit(call, self.wire, "read_diary", arguments, token=self.mint(ttl), era=era)
        until(lambda: self.diary.news.waiting > waiting)
        return answer


@pytest.fixture
def reading(shared_stack: Stack) -> Iterator[Reading]:
    """Somebody's diary."""
    kept = Diary()
    server = diary.server(kept, url=shared_stack.url("ticketing"), issuer=shared_stack.url("idp"))
    idp = shared_stack.control("idp")

    def mint(ttl: int) -> str:
        return str(idp.mint(user="alice", audience="ticketing", ttl=ttl)["token"])

    limits = httpx.Limits(max_connections=None)
    with (
        httpx.Client(timeout=30, limits=limits) as client,
        ThreadPoolExecutor(60) as threads,
        serving(server.app) as url,
    ):
        yield Reading(kept, Wire(url, client), threads, mint)
        kept.write("the end")  # whoever still waits is to go, so that the server can


@ERAS
def test_who_waits_is_answered_when_something_is_written(
    reading: Reading, era: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(news, "LOOK_EVERY_S", LONG)  # so that it is not found by looking for it
    answer = reading.begin(era=era)
    assert not answer.done()
    reading.diary.write("rain")
    assert content(answer.result(WITHIN_S)) == {"items": ["rain"], "position": 1, "mark": "", "more": False}
    assert reading.diary.news.waiting == 0


@ERAS
def test_what_another_process_wrote_is_looked_for(reading: Reading, era: str) -> None:
    answer = reading.begin(era=era)
    reading.diary.write("rain", told=False)
    assert content(answer.result(WITHIN_S))["items"] == ["rain"]


@ERAS
def test_with_nothing_new_the_answer_is_empty_when_the_time_is_over(reading: Reading, era: str) -> None:
    reading.diary.write("rain")
    began = time.monotonic()
    answer = reading.begin(after=1, wait=1, era=era)
    assert content(answer.result(WITHIN_S)) == {"items": [], "position": 1, "mark": "", "more": False}
    assert 1.0 <= time.monotonic() - began < LONG


@pytest.mark.parametrize("arguments", [{"after": 0}, {"after": 0, "wait_seconds": LONG}, {"wait_seconds": LONG}])
def test_nobody_waits_who_did_not_ask_for_it_or_has_something_to_read(
    reading: Reading, arguments: dict[str, Any]
) -> None:
    reading.diary.write("rain")
    began = time.monotonic()
    content(reading.wire.call("read_diary", arguments, token=reading.mint(600)))
    assert time.monotonic() - began < AT_ONCE_S


def test_what_is_written_between_two_calls_is_neither_missed_nor_told_twice(reading: Reading) -> None:
    told, position = list[str](), 0
    entries = [str(number) for number in range(300)]
    writing = reading.threads.submit(deque, map(reading.diary.write, entries), 0)
    token = reading.mint(600)
    while len(told) < len(entries):
        page = content(reading.wire.call("read_diary", {"after": position, "wait_seconds": 2}, token=token))
        assert page["items"], "what was written was missed"
        told, position = told + page["items"], page["position"]
    writing.result()
    assert told == entries


def test_more_than_the_server_has_threads_can_wait_and_nobody_else_is_held_up(reading: Reading) -> None:
    before = threading.active_count()
    answers = [reading.begin() for _ in range(50)]
    own = len(reading.threads._threads)  # noqa: SLF001  # the scenario's, which are not the server's
    assert threading.active_count() - before - own < 10
    began = time.monotonic()
    content(reading.wire.call("read_diary", token=reading.mint(600)))
    assert time.monotonic() - began < AT_ONCE_S
    reading.diary.write("rain")
    assert [content(answer.result(WITHIN_S))["items"] for answer in answers] == [["rain"]] * 50
    assert reading.diary.news.waiting == 0


def test_who_hangs_up_is_not_waited_for(reading: Reading) -> None:
    message = tool_call("read_diary", {"after": 0, "wait_seconds": LONG})
    headers = {**message.headers, "Authorization": f"Bearer {reading.mint(600)}"}
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(f"{reading.wire.url}/mcp", json=message.body, headers=headers, timeout=1.0)
    until(lambda: reading.diary.news.waiting == 0)


def test_the_wait_ends_with_the_token_and_tells_it_nothing_any_more(reading: Reading) -> None:
    answer = reading.begin(ttl=2)
    assert content(answer.result(WITHIN_S)) == {"items": [], "position": 0, "mark": "", "more": False}
    reading.diary.write("rain")
    assert reading.diary.news.waiting == 0


def test_news_that_comes_after_the_token_has_expired_is_not_told(
    reading: Reading, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer, real = reading.begin(ttl=600), time.time
    monkeypatch.setattr(time, "time", lambda: real() + 601)
    reading.diary.write("rain")
    assert content(answer.result(WITHIN_S)) == {"items": [], "position": 0, "mark": "", "more": False}


@contextmanager
def waiting(stack: Stack, service: str, person: Person) -> Iterator[list[Future[httpx.Response]]]:
    """Calls of both eras that wait for changes."""
    arguments = {"after": 0, "wait_seconds": LONG}
    with httpx.Client(timeout=30) as client, ThreadPoolExecutor(2) as threads:
        wire, token = Wire(stack.url(service), client), person.token(service)
        begun = [
            threads.submit(call, wire, "list_changes", arguments, token=token, era=era)
            for era in (MODERN, "2025-11-25")
        ]
        until(lambda: sum(each["rpc"] == "tools/call list_changes" for each in stack.journal()) == len(begun))
        yield begun


@BOTH
@pytest.mark.destructive
def test_a_change_is_told_to_who_waits_for_it(stack: Stack, as_user: AsUser, service: str) -> None:
    tool, arguments = WRITES[service]
    with waiting(stack, service, as_user("alice")) as answers:
        as_user("adam").call_tool(service, tool, **arguments)
        for answer in answers:
            assert [change["position"] for change in content(answer.result(WITHIN_S))["items"]] == [1]


@pytest.mark.destructive
def test_what_somebody_may_not_see_does_not_end_their_wait(stack: Stack, as_user: AsUser) -> None:
    with waiting(stack, "ticketing", as_user("rita")) as answers:
        alice = as_user("alice")
        alice.call_tool("ticketing", "create_ticket", title="Not hers")
        own = as_user("rita").call_tool("ticketing", "create_ticket", title="Hers")["key"]
        for answer in answers:
            page = content(answer.result(WITHIN_S))
            assert [(change["position"], change["key"]) for change in page["items"]] == [(2, own)]


@pytest.mark.destructive
def test_who_is_deactivated_while_they_wait_is_told_so_and_nothing_else(stack: Stack, as_user: AsUser) -> None:
    alice = as_user("alice")
    with waiting(stack, "organizations", alice) as answers:
        own = alice.call_tool("organizations", "whoami")["id"]
        as_user("adam").call_tool("organizations", "deactivate_member", approve=True, user_id=own)
        assert [content(answer.result(WITHIN_S))["code"] for answer in answers] == ["forbidden"] * len(answers)


@BOTH
@pytest.mark.destructive
def test_a_stop_answers_who_waits_at_once(stack: Stack, as_user: AsUser, service: str) -> None:
    with waiting(stack, service, as_user("alice")) as answers:
        began = time.monotonic()
        stack.restart(service)
        modern, legacy = answers
        assert nothing(content(modern.result(WITHIN_S)))
        with suppress(httpx.TransportError):  # in that era the library ends all streams by itself, and may be the first
            assert nothing(content(legacy.result(WITHIN_S)))
        assert time.monotonic() - began < AT_ONCE_S


@BOTH
@pytest.mark.destructive
def test_a_reset_cuts_off_who_waits_at_once(stack: Stack, as_user: AsUser, service: str) -> None:
    with waiting(stack, service, as_user("alice")) as answers:
        began = time.monotonic()
        stack.reset()
        modern, legacy = answers
        assert modern.result(WITHIN_S).status_code == 500
        with pytest.raises(httpx.TransportError):  # its answer had begun already
            legacy.result(WITHIN_S)
        assert time.monotonic() - began < AT_ONCE_S
    assert as_user("alice").call_tool(service, "list_changes", after=0)["position"] == 0
