"""The HTTP server of every service: uvicorn's, told what it is to do and woken up when it is to leave."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from types import FrameType
from typing import Any

import uvicorn

from harness.connection import Connection

ANSWERS_MAY_TAKE_S = 1.0
TICK_S = 1.0
LOOK_AGAIN_S = 0.005


def configuration(app: Any) -> uvicorn.Config:
    """How every service is served; its logging is set up already."""
    return uvicorn.Config(
        app,
        http=Connection,
        lifespan="on",
        ws="none",
        log_config=None,
        access_log=False,  # the simulation layer tells of each request
        server_header=False,
        proxy_headers=False,
    )


class Server(uvicorn.Server):
    """uvicorn's server, which wakes up when it is to leave instead of looking every tenth of a second."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._leaving = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start the app, and let each request know when the server is to leave: ``scope["state"]["leaving"]``."""
        self.lifespan.state["leaving"] = self._leaving
        await super().startup(sockets)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """SIGTERM or SIGINT came."""
        super().handle_exit(sig, frame)
        self.leave()

    def leave(self) -> None:
        """Stop soon: what is under way is finished first."""
        self.should_exit = True
        self._leaving.set()

    async def main_loop(self) -> None:
        """Serve until it is time to leave; once a second renew what :meth:`on_tick` keeps up to date."""
        while not await self.on_tick(0):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._leaving.wait(), TICK_S)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Take no more connections, let what is under way finish for a moment, end the lifespan."""
        self._leaving.set()
        for server in self.servers:
            server.close()
        for listening in sockets or []:
            listening.close()
        for connection in tuple(self.server_state.connections):
            connection.shutdown()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(ANSWERS_MAY_TAKE_S):
                while self.server_state.connections or self.server_state.tasks:  # noqa: ASYNC110  # uvicorn has no event
                    await asyncio.sleep(LOOK_AGAIN_S)
        for task in self.server_state.tasks:
            task.cancel()
        await self.lifespan.shutdown()
