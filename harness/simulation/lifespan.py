"""The lifespan of an ASGI app, driven from outside: started, ended, started again (ASGI specification, Lifespan)."""

from __future__ import annotations

import asyncio
from typing import Any

from starlette.types import ASGIApp, Message


class LifespanFailedError(Exception):
    """The app refused to start or to end; carries its message."""


class Lifespan:
    """One life of ``app``: a task that runs between :meth:`start` and :meth:`end`."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._inbox: asyncio.Queue[Message] = asyncio.Queue()
        self._answers: asyncio.Queue[Message] = asyncio.Queue()
        self._task: asyncio.Future[None] | None = None
        self.state: dict[str, Any] = {}

    async def start(self) -> None:
        """Run the app's start-up.

        Raises:
            LifespanFailedError: the app reported a failure.
            BaseException: what the app raised instead of reporting.
        """
        scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": self.state}
        self._task = asyncio.ensure_future(self._app(scope, self._inbox.get, self._answers.put))
        await self._ask("startup")

    async def end(self) -> None:
        """Run the app's shutdown and wait until it has returned."""
        if self._task is not None and not self._task.done():
            await self._ask("shutdown")
            await self._task
        self._task = None

    async def _ask(self, what: str) -> None:
        assert self._task is not None  # noqa: S101  # start() has made it
        await self._inbox.put({"type": f"lifespan.{what}"})
        answer = asyncio.get_running_loop().create_task(self._answers.get())
        waited: set[asyncio.Future[Any]] = {answer, self._task}
        await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
        if not answer.done():
            answer.cancel()
            self._task.result()  # raises what ended it
            raise LifespanFailedError(f"the app returned during its {what}")
        if answer.result()["type"] != f"lifespan.{what}.complete":
            raise LifespanFailedError(str(answer.result().get("message", "")) or f"the app reported a failed {what}")
