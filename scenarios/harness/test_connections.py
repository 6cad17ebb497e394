"""Who sends too slowly, or does not read, is cut off; nobody waits for them, nor for who asks ahead of an answer."""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import partial

import httpx
import pytest
from starlette.types import Receive, Scope, Send

from harness import connection, ports
from harness.server import Server, configuration
from scenarios.harness import checkout

LONG_ANSWER = 64 * 1024 * 1024
"""More than the sockets of both sides take."""

WITHIN_S = 10.0
HEADERS = b"Host: localhost\r\n"
UNFINISHED = {
    "nothing": b"",
    "half a line": b"GET / HT",
    "some headers": b"GET /echo HTTP/1.1\r\n" + HEADERS,
    "some of a body": b"POST /echo HTTP/1.1\r\nContent-Length: 100\r\n" + HEADERS + b"\r\nthe first",
    "a chunk": b"POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n" + HEADERS + b"\r\n2\r\nab\r\n",
}
NO_REQUEST = "Invalid HTTP request received."
STREAM = b"GET /stream HTTP/1.1\r\n" + HEADERS + b"\r\n"
BEHIND = {
    "a request": b"GET /echo HTTP/1.1\r\n" + HEADERS + b"\r\n",
    "two requests": 2 * (b"GET /echo HTTP/1.1\r\n" + HEADERS + b"\r\n"),
    "some of a body": UNFINISHED["some of a body"],
    "no request": b"GARBAGE\r\n\r\n",
    "a request and no request": b"GET /echo HTTP/1.1\r\n" + HEADERS + b"\r\nGARBAGE\r\n\r\n",
}


@dataclass
class Echo:
    """Answers with what it is sent; ``/long`` with much, ``/later`` when it is let, ``/head`` begins before that, and
    ``/stream`` goes on until then.
    """

    loop: asyncio.AbstractEventLoop | None = None
    let: asyncio.Event = field(default_factory=asyncio.Event)
    under_way: int = 0
    asked: list[str] = field(default_factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        self.under_way += 1
        self.asked.append(scope["path"])
        try:
            if scope["path"] == "/stream":
                await self._stream(scope["state"]["leaving"], receive, send)
            else:
                await self._answer(scope["path"], receive, send)
        finally:
            self.under_way -= 1

    async def _live(self, receive: Receive, send: Send) -> None:
        self.loop = asyncio.get_running_loop()
        for step in ("startup", "shutdown"):
            await receive()
            await send({"type": f"lifespan.{step}.complete"})

    async def _answer(self, path: str, receive: Receive, send: Send) -> None:
        body, message = b"", await receive()
        while message["type"] == "http.request":
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
            message = await receive()
        if path == "/later":
            await self.let.wait()
        if path == "/long":
            body = b"x" * LONG_ANSWER
        length = str(len(body)).encode()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", length)]})
        if path == "/head":
            await self.let.wait()
        await send({"type": "http.response.body", "body": body})

    async def _stream(self, leaving: asyncio.Event, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"first", "more_body": True})
        ends = [asyncio.ensure_future(each) for each in (receive(), self.let.wait(), leaving.wait())]
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        for each in ends:
            each.cancel()
        await send({"type": "http.response.body", "body": b"last"})


@dataclass
class Served:
    """The app, where it is, and how it is stopped."""

    app: Echo
    port: int
    server: Server
    thread: threading.Thread

    @contextmanager
    def connected(self, sent: bytes) -> Iterator[socket.socket]:
        """A connection on which so much was sent."""
        with socket.create_connection(("localhost", self.port), timeout=WITHIN_S) as plug:
            plug.sendall(sent)
            yield plug

    def get(self, path: str = "/echo") -> httpx.Response:
        return httpx.get(f"http://localhost:{self.port}{path}", timeout=WITHIN_S)

    def tell(self, what: Callable[[], object]) -> None:
        """Have it done in the server's thread."""
        assert self.app.loop is not None
        self.app.loop.call_soon_threadsafe(what)

    def stop(self) -> float:
        """The seconds it takes."""
        began = time.monotonic()
        # Not by its handler of signals: sse-starlette makes of that one a switch for all streams of the process.
        self.tell(self.server.leave)
        self.thread.join(WITHIN_S)
        return time.monotonic() - began


until = partial(checkout.until, within=WITHIN_S, otherwise="it never came to that")


@pytest.fixture
def served() -> Iterator[Served]:
    """The app behind the server of the services."""
    app = Echo()
    with closing(ports.reserve(0)) as reserved:
        server = Server(configuration(app))
        thread = threading.Thread(target=server.run, kwargs={"sockets": reserved.listen()})
        thread.start()
        until(lambda: server.started)
        it = Served(app, reserved.number, server, thread)
        try:
            yield it
        finally:
            if thread.is_alive():
                it.stop()


def sends(plug: socket.socket, what: bytes) -> bool:
    """Whether there is still somebody to send it to."""
    try:
        plug.sendall(what)
    except (BrokenPipeError, ConnectionResetError):
        return False
    return True


def is_cut_off(plug: socket.socket) -> bool:
    """Whether the other side ends the connection, whatever it has sent before."""
    try:
        while plug.recv(1 << 20):
            pass
    except ConnectionResetError:
        pass
    return True  # otherwise reading has timed out


def read_until(plug: socket.socket, end: bytes) -> bytes:
    """What comes up to that; or all that comes, if that does not."""
    got = b""
    while not got.endswith(end) and (piece := plug.recv(1 << 20)):
        got += piece
    return got


def rest(plug: socket.socket) -> bytes:
    """All that comes until the other side ends the connection."""
    got = b""
    while piece := plug.recv(1 << 20):
        got += piece
    return got


@pytest.mark.parametrize("sent", UNFINISHED.values(), ids=UNFINISHED)
def test_who_does_not_send_a_whole_request_is_cut_off(
    served: Served, sent: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "SENDERS_MAY_TAKE_S", 0.2)
    with served.connected(sent) as plug:
        assert served.get().status_code == 200
        assert is_cut_off(plug)
    until(lambda: served.app.under_way == 0)


def test_who_sends_byte_by_byte_is_not_waited_for_longer(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "SENDERS_MAY_TAKE_S", 0.2)
    with served.connected(UNFINISHED["some headers"] + b"X-Slow: ") as plug:
        until(lambda: not sends(plug, b"x"))


def test_who_does_not_read_is_cut_off(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "READERS_MAY_TAKE_S", 0.2)
    with served.connected(b"GET /long HTTP/1.1\r\n" + HEADERS + b"\r\n") as plug:
        until(lambda: len(served.server.server_state.connections) == 1)
        assert served.get().status_code == 200
        until(lambda: not served.server.server_state.connections and not served.app.under_way)
        assert is_cut_off(plug)


def test_who_reads_slowly_gets_it_all(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "READERS_MAY_TAKE_S", 0.5)
    began, got = time.monotonic(), 0
    with served.connected(b"GET /long HTTP/1.1\r\nConnection: close\r\n" + HEADERS + b"\r\n") as plug:
        while piece := plug.recv(1 << 20):
            got += len(piece)
            threading.Event().wait(0.01)
    assert got > LONG_ANSWER
    assert time.monotonic() - began > 0.5


def test_a_hundred_who_are_slow_hold_nobody_up(served: Served) -> None:
    plugs = [served.connected(sent) for _ in range(20) for sent in UNFINISHED.values()]
    for plug in plugs:
        plug.__enter__()
    until(lambda: len(served.server.server_state.connections) == len(plugs))
    assert served.get().status_code == 200
    for plug in plugs:
        plug.__exit__(None, None, None)


def test_a_stop_waits_neither_for_who_does_not_send_nor_for_who_does_not_read(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "STUCK_AFTER_S", 0.05)
    monkeypatch.setattr("harness.server.ANSWERS_MAY_TAKE_S", 2 * WITHIN_S)
    with (
        served.connected(UNFINISHED["some headers"]),
        served.connected(UNFINISHED["some of a body"]),
        served.connected(b"GET /long HTTP/1.1\r\n" + HEADERS + b"\r\n"),
    ):
        until(lambda: all(each.is_strained() for each in strained(served)) and len(strained(served)) == 3)
        assert served.stop() < WITHIN_S


def strained(served: Served) -> list[connection._Patience]:
    """What the server has patience for."""
    patiences = [
        patience
        for each in served.server.server_state.connections
        if isinstance(each, connection.Connection)
        for patience in (each._with_sender, each._with_reader)  # noqa: SLF001
    ]
    return [patience for patience in patiences if patience.is_strained()]


def test_a_stop_lets_an_answer_be_finished(served: Served) -> None:
    got: list[httpx.Response] = []
    reader = threading.Thread(target=lambda: got.append(served.get("/later")))
    reader.start()
    until(lambda: served.app.under_way == 1)
    stopping = threading.Thread(target=served.stop)
    stopping.start()
    until(lambda: served.server.should_exit)
    served.tell(served.app.let.set)
    for thread in (reader, stopping):
        thread.join(WITHIN_S)
    assert got[0].status_code == 200


@pytest.mark.parametrize("behind", BEHIND.values(), ids=BEHIND)
@pytest.mark.parametrize("later", [False, True], ids=["at once", "later"])
def test_a_stream_ends_with_its_reader_whatever_they_have_sent_behind(
    served: Served, behind: bytes, later: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """uvicorn tells only the last request of a connection that it is lost; the one before runs into what is closed."""
    with served.connected(STREAM if later else STREAM + behind) as plug:
        assert read_until(plug, b"first\r\n").startswith(b"HTTP/1.1 200 ")
        if later:
            plug.sendall(behind)
    until(lambda: served.app.under_way == 0)
    assert served.app.asked == ["/stream"]
    assert not [record.message for record in caplog.records if record.levelno >= logging.ERROR]


@pytest.mark.parametrize("later", [False, True], ids=["at once", "later"])
def test_what_is_no_request_leaves_the_answer_before_it_whole(
    served: Served, later: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """uvicorn writes its 400 at once, before or into the answer that is under way."""
    with served.connected(STREAM if later else STREAM + BEHIND["no request"]) as plug:
        assert read_until(plug, b"first\r\n").startswith(b"HTTP/1.1 200 ")
        if later:
            plug.sendall(BEHIND["no request"])
        until(lambda: NO_REQUEST in caplog.text)
        served.tell(served.app.let.set)
        assert rest(plug) == b"4\r\nlast\r\n0\r\n\r\n"


def test_nothing_is_said_of_what_comes_after_what_is_no_request(
    served: Served, caplog: pytest.LogCaptureFixture
) -> None:
    with served.connected(STREAM + BEHIND["no request"]) as plug:
        until(lambda: NO_REQUEST in caplog.text)
        plug.sendall(BEHIND["no request"] + BEHIND["a request"])
    until(lambda: served.app.under_way == 0)
    assert caplog.text.count(NO_REQUEST) == 1


@pytest.mark.parametrize("sent", [BEHIND["no request"], UNFINISHED["a chunk"] + b"no chunk\r\n"], ids=["line", "chunk"])
def test_what_is_no_request_is_answered_with_400(served: Served, sent: bytes) -> None:
    with served.connected(sent) as plug:
        assert rest(plug).startswith(b"HTTP/1.1 400 ")
    until(lambda: served.app.under_way == 0)


def test_a_head_does_not_wait_for_a_body_that_takes_time(served: Served) -> None:
    with served.connected(b"POST /head HTTP/1.1\r\nContent-Length: 4\r\n" + HEADERS + b"\r\nbody") as plug:
        assert read_until(plug, b"\r\n\r\n").startswith(b"HTTP/1.1 200 ")
        served.tell(served.app.let.set)
        assert read_until(plug, b"body") == b"body"


def test_requests_sent_at_once_are_answered_in_turn(served: Served) -> None:
    bodies = [str(number).encode() for number in range(20)]
    with served.connected(
        b"".join(b"POST /echo HTTP/1.1\r\nContent-Length: %d\r\n%s\r\n%s" % (len(b), HEADERS, b) for b in bodies)
    ) as plug:
        got = read_until(plug, b"\r\n\r\n" + bodies[-1])
    assert [answer.partition(b"\r\n\r\n")[2] for answer in got.split(b"HTTP/1.1 200 OK\r\n")[1:]] == bodies


def test_a_stop_does_not_begin_what_was_sent_behind_a_stream(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.server.ANSWERS_MAY_TAKE_S", 2 * WITHIN_S)
    with served.connected(STREAM + b"GET /later HTTP/1.1\r\n" + HEADERS + b"\r\n") as plug:
        read_until(plug, b"first\r\n")
        assert served.stop() < WITHIN_S
        assert rest(plug) == b"4\r\nlast\r\n0\r\n\r\n"
    assert served.app.asked == ["/stream"]
