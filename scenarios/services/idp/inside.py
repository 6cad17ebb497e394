"""A client of an app that lives in this process: without a socket, and with one change of threads per request."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx2 as httpx
from anyio.from_thread import BlockingPortal
from fastapi import FastAPI


class Inside(httpx.BaseTransport):
    """Hands requests to an app on the event loop of ``portal``; Starlette's own goes there and back nine times each."""

    def __init__(self, app: FastAPI, portal: BlockingPortal, *, raises: bool = True) -> None:
        """With ``raises`` what breaks in the app breaks the test; without it is the answer that a client would get."""
        self._app, self._portal = httpx.ASGITransport(app, raise_app_exceptions=raises), portal

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """The app's whole answer."""
        return self._portal.call(self._ask, request)

    async def _ask(self, request: httpx.Request) -> httpx.Response:
        answer = await self._app.handle_async_request(request)
        assert isinstance(answer.stream, httpx.AsyncByteStream)
        body = httpx.ByteStream(b"".join([part async for part in answer.stream]))
        return httpx.Response(answer.status_code, headers=answer.headers, stream=body)


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
