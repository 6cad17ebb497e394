"""A server that answers as a test tells it, for what no healthy service would say."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Received:
    """A request as it came in."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Answer:
    """What to send; no status hangs up instead."""

    status: int | None = 200
    body: bytes | dict[str, Any] = b""
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class StandIn:
    """Where it listens, and what it has been asked."""

    url: str
    received: list[Received]

    def asked(self, path: str) -> list[Received]:
        """The requests to one path, in order."""
        return [request for request in self.received if request.path == path]


Script = Callable[[Received], Answer]


@contextmanager
def standing_in(script: Script) -> Iterator[StandIn]:
    """A stand-in on a random port."""
    received: list[Received] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            request = Received(self.path, {name.lower(): value for name, value in self.headers.items()}, body)
            received.append(request)
            answer = script(request)
            with suppress(BrokenPipeError, ConnectionResetError):  # who asked may have gone by now
                self.send(answer)

        def send(self, answer: Answer) -> None:
            if answer.status is None:
                self.close_connection = True
                return
            content = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
            self.send_response(answer.status)
            headers = {"Content-Type": "application/json", "Content-Length": str(len(content))} | answer.headers
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it
            """Nothing: the test asserts what was received."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield StandIn(f"http://127.0.0.1:{server.server_port}", received)
        finally:
            server.shutdown()
            thread.join()
