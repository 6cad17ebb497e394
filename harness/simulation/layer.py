"""The ASGI layer: drives the app's lifespan, keeps the journal, and answers ``/_sim/*`` to who knows the secret.

``POST /_sim/reset/end`` cuts off what is under way, ends the lifespan and takes the data away; ``POST
/_sim/reset/start`` starts it anew. Requests that arrive in between wait. ``GET /_sim/journal?since=S`` lists exchanges.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import logging
import time
from typing import Any
from urllib.parse import parse_qs

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from harness.simulation import journal
from harness.simulation.database import Database
from harness.simulation.journal import Exchange, Journal
from harness.simulation.lifespan import Lifespan

logger = logging.getLogger("access")

HEALTHY = ("/healthz", 200)
PREFIX = "/_sim/"
VERBS = frozenset({f"{PREFIX}reset/end", f"{PREFIX}reset/start", f"{PREFIX}journal"})
"""What this layer answers itself; a service may have more behind the same prefix."""


class SimulationLayer:
    """Wraps one service's app. ``database`` is what a reset lays anew; None when the service has none."""

    def __init__(self, app: ASGIApp, *, service: str, secret: str, database: Database | None) -> None:
        self._app, self._secret, self._database = app, secret, database
        self._service = service
        self._journal = Journal(service)
        self._life = Lifespan(app)
        self._open = asyncio.Event()
        self._under_way: set[asyncio.Task[Any]] = set()
        self._cut_off: set[asyncio.Task[Any]] = set()
        self._fewer = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif scope["type"] == "http" and scope["path"] in VERBS:
            await self._control(scope, send)
        else:
            await self._request(scope, receive, send)

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        try:
            await self._start()
        except Exception as error:  # noqa: BLE001  # reported to the server, which prints it and ends
            await send({"type": "lifespan.startup.failed", "message": f"{type(error).__name__}: {error}"})
            return
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self._life.end()
        await send({"type": "lifespan.shutdown.complete"})

    async def _request(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._open.wait()
        scope["state"] = {**scope.get("state", {}), **self._life.state}
        if not scope["path"].startswith(PREFIX):  # that would be the test's own doing, and no part of what happened
            entry = self._journal.open(scope)
            receive, send = _noting_rpc(receive, entry), _noting_status(send, entry, scope)
        task = asyncio.current_task()
        assert task is not None  # noqa: S101  # a server runs each request in one
        self._under_way.add(task)
        try:
            await self._app(scope, receive, send)
        except asyncio.CancelledError:
            if task not in self._cut_off:
                raise
            task.uncancel()  # a reset cut it off: returning without an answer makes the server close the connection
        finally:
            self._under_way.discard(task)
            if task in self._cut_off:
                self._cut_off.discard(task)
                self._fewer.set()

    async def _control(self, scope: Scope, send: Send) -> None:
        given = dict(scope["headers"]).get(b"authorization", b"")
        if not hmac.compare_digest(given, f"Bearer {self._secret}".encode()) or b"origin" in dict(scope["headers"]):
            await _answer(send, 404, {"error": "not found"})
            return
        match scope["method"], scope["path"].removeprefix(PREFIX):
            case "POST", "reset/end":
                await self._end()
                await _answer(send, 200, {})
            case "POST", "reset/start":
                self._life = Lifespan(self._app)
                self._journal = Journal(self._service)
                await self._start()
                await _answer(send, 200, {})
            case "GET", "journal":
                since = parse_qs(scope["query_string"].decode()).get("since", ["0"])[0]
                await _answer(send, 200, {"entries": self._journal.since(float(since))})
            case _:
                await _answer(send, 404, {"error": "not found"})

    async def _end(self) -> None:
        self._open.clear()
        self._cut_off |= self._under_way
        for task in self._cut_off:
            task.cancel()
        while self._cut_off:
            self._fewer.clear()
            await self._fewer.wait()
        await self._life.end()
        if self._database is not None:
            self._database.remove()

    async def _start(self) -> None:
        unseeded = self._database is not None and self._database.lay()
        await self._life.start()
        if self._database is not None and unseeded:
            self._database.keep()
        self._open.set()


def _noting_status(send: Send, entry: Exchange, scope: Scope) -> Send:
    began = time.monotonic()

    async def noting(message: Message) -> None:
        if message["type"] == "http.response.start":
            entry.status = message["status"]
            entry.took_ms = round((time.monotonic() - began) * 1000, 1)
            if (entry.path, entry.status) != HEALTHY:  # the harness asks for it all the time
                _log(scope, message["status"])
        await send(message)

    return noting


def _log(scope: Scope, status: int) -> None:
    """The usual line of an access log, without the query: it carries codes, state and ID tokens (RFC 9700 §4.2.4)."""
    host, port = scope["client"] or ("?", 0)
    path = scope["raw_path"].decode("ascii", "backslashreplace")
    logger.info('%s:%d - "%s %s HTTP/%s" %d', host, port, scope["method"], path, scope["http_version"], status)


def _noting_rpc(receive: Receive, entry: Exchange) -> Receive:
    if entry.method != "POST" or not entry.path.endswith("/mcp"):
        return receive
    body = bytearray()

    async def noting() -> Message:
        message = await receive()
        if message["type"] == "http.request" and len(body) < journal.BODY_LIMIT:
            body.extend(message.get("body", b""))
            if not message.get("more_body"):
                entry.rpc = journal.rpc(bytes(body))
        return message

    return noting


async def _answer(send: Send, status: int, body: Any) -> None:
    content = json.dumps(body).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(content)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": content})
