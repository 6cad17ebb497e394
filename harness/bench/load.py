"""A load generator that costs next to nothing beside the servers, in a process of its own.

``python -m harness.bench.load`` is told on standard input what to send (a :class:`Burst` in JSON), keeps so many
connections busy with the same request for so long, and prints what came of it. Of HTTP/1.1 it understands answers with
a ``Content-Length`` only; that is all of them here.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from typing import Any

from harness.bench.figures import percentile
from harness.errors import HarnessError

OK = b"HTTP/1.1 200 "
LENGTH = b"\r\ncontent-length:"
HEAD_ENDS = b"\r\n\r\n"
CLOSES = b"\r\nconnection: close"


@dataclass(frozen=True)
class Burst:
    """The same request, again and again."""

    port: int
    request: str
    """As it goes over the wire."""
    connections: int
    seconds: float
    host: str = "127.0.0.1"


@dataclass
class Outcome:
    """What came of it."""

    answered: int = 0
    refused: int = 0
    """Answers that were not 200, and connections that were cut."""
    first_refusal: str = ""
    p99_ms: float = 0.0
    """Of what an answer took."""


def run(burst: Burst) -> Outcome:
    """Send it from another process and wait.

    Raises:
        HarnessError: an answer was not 200.
    """
    seconds = burst.seconds + 30
    done = subprocess.run(
        [sys.executable, "-m", "harness.bench.load"],
        input=json.dumps(asdict(burst)), capture_output=True, text=True, timeout=seconds, check=False,
    )  # fmt: skip
    if done.returncode:
        raise HarnessError("the load generator failed", evidence=done.stderr[-2000:])
    outcome = Outcome(**json.loads(done.stdout))
    if outcome.refused or not outcome.answered:
        raise HarnessError(f"{outcome.refused} requests were not answered", evidence=outcome.first_refusal)
    return outcome


class Connection(asyncio.Protocol):
    """Sends the request, reads the answer, and so on until the time is over or the server closes."""

    def __init__(self, request: bytes, outcome: Outcome, took_ms: list[float], *, until: float) -> None:
        self._request, self._outcome, self._took_ms, self._until = request, outcome, took_ms, until
        self._buffer = b""
        self._sent = time.perf_counter()
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: Any) -> None:
        """Begin; to connect was part of the first request."""
        self._transport = transport
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        """Part of an answer, or all of it."""
        self._buffer = self._buffer + data if self._buffer else data
        head, found, body = self._buffer.partition(HEAD_ENDS)
        if not found:
            return
        _, _, rest = head.lower().partition(LENGTH)
        if len(body) < int(rest.partition(b"\r\n")[0]):
            return
        self._buffer = b""
        self._take(head, body)

    def connection_lost(self, exc: Exception | None) -> None:
        """That was not us."""
        if not self.done.done():
            self._refused(f"connection lost: {exc}")

    def _take(self, head: bytes, body: bytes) -> None:
        now = time.perf_counter()
        if not head.startswith(OK):
            self._refused((head + HEAD_ENDS + body).decode(errors="replace"))
            return
        if now < self._until:
            self._outcome.answered += 1
            self._took_ms.append((now - self._sent) * 1000)
        if now >= self._until or CLOSES in head.lower():
            self._finish()
        else:
            self._send()

    def _send(self) -> None:
        self._sent = time.perf_counter()
        self._transport.write(self._request)

    def _refused(self, what: str) -> None:
        self._outcome.refused += 1
        self._outcome.first_refusal = self._outcome.first_refusal or what[:2000]
        self._finish()

    def _finish(self) -> None:
        self.done.set_result(None)
        self._transport.close()


async def _send_all(burst: Burst) -> Outcome:
    loop, outcome, request = asyncio.get_running_loop(), Outcome(), burst.request.encode()
    until, took_ms = time.perf_counter() + burst.seconds, list[float]()

    async def one() -> None:
        while time.perf_counter() < until and not outcome.refused:
            _, connection = await loop.create_connection(
                lambda: Connection(request, outcome, took_ms, until=until), burst.host, burst.port
            )
            await connection.done

    await asyncio.gather(*(one() for _ in range(burst.connections)))
    outcome.p99_ms = percentile(took_ms, 99) if took_ms else 0.0
    return outcome


def main() -> None:
    """Do what standard input says."""
    burst = Burst(**json.load(sys.stdin))
    print(json.dumps(asdict(_on_fast_loop(burst))))


def _on_fast_loop(burst: Burst) -> Outcome:
    try:
        import uvloop  # noqa: PLC0415  # not on Windows
    except ImportError:
        return asyncio.run(_send_all(burst))
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_send_all(burst))


if __name__ == "__main__":
    main()
