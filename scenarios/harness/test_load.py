"""The load generator counts what it is told: answers, refusals, and servers that close after each."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread

import pytest

from harness.bench import idp, load, ours
from harness.bench.load import Burst
from harness.bench.traffic import PATHS, Traffic
from harness.errors import HarnessError
from harness.stack import Stack

REQUEST = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


@contextmanager
def answering(*, answer: bytes, closes: bool = False, counted: list[int]) -> Iterator[int]:
    """A server on a free port that gives everybody the same answer, in two pieces."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        Thread(target=_serve, args=(server, answer, closes, counted), daemon=True).start()
        try:
            yield int(server.getsockname()[1])
        finally:
            server.shutdown(socket.SHUT_RDWR)  # wakes the thread that waits for the next connection


def _serve(server: socket.socket, answer: bytes, closes: bool, counted: list[int]) -> None:
    while True:
        try:
            connection, _ = server.accept()
        except OSError:
            return
        Thread(target=_talk, args=(connection, answer, closes, counted), daemon=True).start()


def _talk(connection: socket.socket, answer: bytes, closes: bool, counted: list[int]) -> None:
    with connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while connection.recv(4096):
            connection.sendall(answer[:20])
            connection.sendall(answer[20:])
            counted.append(1)
            if closes:
                return


@pytest.mark.parametrize("closes", [False, True])
def test_every_answer_is_counted_once(*, closes: bool) -> None:
    counted: list[int] = []
    answer = OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n") if closes else OK
    with answering(answer=answer, closes=closes, counted=counted) as port:
        outcome = load.run(Burst(port, REQUEST, connections=3, seconds=0.2))
    assert outcome.answered > 10
    # The last of each connection comes when the time is over, and is not counted.
    assert 0 <= len(counted) - outcome.answered <= 3
    assert 0 < outcome.p99_ms < 200


def test_a_refusal_is_an_error_that_shows_it() -> None:
    refusal = b"HTTP/1.1 401 No\r\nContent-Length: 26\r\n\r\n" + b'{"error":"invalid_client"}'
    with (
        answering(answer=refusal, counted=[]) as port,
        pytest.raises(HarnessError, match="not answered") as caught,
    ):
        load.run(Burst(port, REQUEST, connections=2, seconds=0.2))
    assert "invalid_client" in caught.value.evidence


@pytest.mark.parametrize("algorithm", list(idp.ALGORITHMS))
def test_our_provider_gives_tokens_to_the_load_generator(algorithm: str) -> None:
    with ours.started() as mine:
        arm = idp.arm(mine, algorithm, seconds=1.0)  # its first answer waits for a key to be made
        arm.run()
    assert arm.rates[0] > 0
    assert arm.cpu_ms[0] > 0


def test_rate_and_cost_of_requests_are_those_of_the_services(shared_stack: Stack) -> None:
    rate, api, ticketing = Traffic(shared_stack, connections=2).rate(PATHS[0], rounds=1)
    assert 0 < rate.median < 5000
    assert 0.2 < api.median < 100
    assert 0.2 < ticketing.median < 100
