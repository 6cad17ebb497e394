"""Hanging up in the middle of a stream, as the Stop button does, is no error."""

from __future__ import annotations

from collections.abc import AsyncIterator

import anyio
import pytest
from anyio.from_thread import start_blocking_portal
from fastapi import APIRouter, FastAPI
from fastapi.sse import EventSourceResponse
from starlette.types import Message

from services.api.event_route import EventRoute

FASTAPI_BUFFERS = 4
"""Events that FastAPI makes ahead of a reader who does not read."""

SCOPE = {
    "type": "http",
    "asgi": {"version": "3.0", "spec_version": "2.3"},
    "http_version": "1.1",
    "method": "GET",
    "path": "/events",
    "raw_path": b"/events",
    "root_path": "",
    "query_string": b"",
    "headers": [],
}


def app_that_yields(events: AsyncIterator[int]) -> FastAPI:
    router = APIRouter(route_class=EventRoute)

    @router.get("/events", response_class=EventSourceResponse)
    async def stream() -> AsyncIterator[int]:
        async for event in events:
            yield event

    app = FastAPI()
    app.include_router(router)
    return app


async def heard_before_hanging_up(app: FastAPI, *, backlog: anyio.Event) -> list[bytes]:
    """Take the first piece of the answer, let the next ones pile up, then be gone."""
    gone, heard = anyio.Event(), list[bytes]()

    async def receive() -> Message:
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        if message.get("body"):
            heard.append(message["body"])
            await backlog.wait()
            gone.set()
            await anyio.sleep_forever()

    await app(SCOPE, receive, send)
    return heard


def test_a_caller_who_hangs_up_ends_the_stream_quietly() -> None:
    """FastAPI 0.165 let BrokenResourceError escape from its producer of events."""

    async def hang_up() -> list[bytes]:
        backlog = anyio.Event()

        async def more_than_is_buffered() -> AsyncIterator[int]:
            for number in range(100):
                if number == FASTAPI_BUFFERS:
                    backlog.set()
                yield number

        return await heard_before_hanging_up(app_that_yields(more_than_is_buffered()), backlog=backlog)

    with start_blocking_portal() as portal:
        assert portal.call(hang_up) == [b"data: 0\n\n"]


def test_an_error_of_the_stream_itself_is_not_hidden() -> None:
    async def hang_up() -> list[bytes]:
        backlog = anyio.Event()

        async def broken() -> AsyncIterator[int]:
            yield 0
            backlog.set()
            raise LookupError("the stream's own")

        return await heard_before_hanging_up(app_that_yields(broken()), backlog=backlog)

    with start_blocking_portal() as portal, pytest.raises(ExceptionGroup) as raised:
        portal.call(hang_up)
    assert raised.group_contains(LookupError, match="the stream's own")
