"""A client of an app that lives in this process: without a socket, and with one change of threads per request."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx2 as httpx
from anyio.from_thread import BlockingPortal
from fastapi import FastAPI
from starlette.types import Message


class Inside(httpx.BaseTransport):
    """Hands requests to an app on the event loop of ``portal``; Starlette's own goes there and back nine times each."""

    def __init__(self, app: FastAPI, portal: BlockingPortal, *, raises: bool = True) -> None:
        """With ``raises`` what breaks in the app breaks the test; without it is the answer that a client would get."""
        self._app, self._portal, self._raises = app, portal, raises

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """The app's whole answer."""
        return self._portal.call(self._ask, request)

    async def _ask(self, request: httpx.Request) -> httpx.Response:
        url, sent, unsent = request.url, asyncio.Event(), [request.read()]
        started: list[Message] = []
        body: list[bytes] = []

        async def receive() -> Message:
            if unsent:
                return {"type": "http.request", "body": unsent.pop(), "more_body": False}
            await sent.wait()
            return {"type": "http.disconnect"}

        async def send(message: Message) -> None:
            if message["type"] == "http.response.start":
                started.append(message)
            else:
                body.append(message.get("body", b""))
                if not message.get("more_body", False):
                    sent.set()

        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": request.method,
            "scheme": url.scheme,
            "path": url.path,
            "raw_path": url.raw_path.partition(b"?")[0],
            "query_string": url.query,
            "root_path": "",
            "headers": [(name.lower(), value) for name, value in request.headers.raw],
            "server": (url.host, url.port),
            "client": ("127.0.0.1", 1),
        }
        try:
            await self._app(scope, receive, send)
        except Exception:
            if self._raises or not sent.is_set():
                raise
        (begun,) = started
        assert sent.is_set()
        content = b"" if request.method == "HEAD" else b"".join(body)
        return httpx.Response(begun["status"], headers=begun["headers"], stream=httpx.ByteStream(content))


@contextmanager
def lives(app: FastAPI, portal: BlockingPortal) -> Iterator[None]:
    """One life of ``app``, which must leave nothing under way: the next one has the same event loop."""
    before = portal.call(_tasks)
    with portal.wrap_async_context_manager(app.router.lifespan_context(app)):
        yield
    left = portal.call(_tasks) - before
    assert not left, left


async def _tasks() -> set[asyncio.Task[Any]]:
    return asyncio.all_tasks() - {asyncio.current_task()}


def client(app: FastAPI, portal: BlockingPortal, *, raises: bool = True, **options: Any) -> httpx.Client:
    """A client of an app that lives, with cookies of its own."""
    return httpx.Client(transport=Inside(app, portal, raises=raises), **options)
