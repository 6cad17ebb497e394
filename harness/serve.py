"""Runs one service on sockets it inherits: ``python -m harness.serve --app MODULE:FACTORY --fd N --leash N``."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import importlib
import logging
import logging.config
import os
import socket
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import Any

import uvicorn
from starlette.types import ASGIApp

from harness.simulation.database import Database
from harness.simulation.layer import SimulationLayer
from harness.tether import die_with_parent

STREAMS_MAY_TAKE_S = 1.0
TICK_S = 1.0
LOOK_AGAIN_S = 0.005
LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"()": "harness.serve.Line", "fmt": "%(asctime)s %(levelname)-7s %(name)s: %(message)s"}},
    "handlers": {"log": {"class": "logging.StreamHandler", "formatter": "line", "stream": "ext://sys.stdout"}},
    "root": {"handlers": ["log"], "level": "INFO"},
    "loggers": {
        "httpx": {"level": "WARNING"},
        "httpx2": {"level": "WARNING"},
    },
}


class Line(logging.Formatter):
    """The usual line; the part of the time that stays the same for a second is made once."""

    _second, _text = 0, ""

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: N802, ARG002
        """As ISO 8601 has it, with milliseconds behind a comma."""
        second = int(record.created)
        if second != self._second:
            self._second, self._text = second, time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(second))
        return f"{self._text},{record.msecs:03.0f}"


def main(argv: Sequence[str] | None = None) -> int:
    """Build the app and serve it until SIGTERM or until the parent is gone."""
    parser = argparse.ArgumentParser(prog="python -m harness.serve")
    parser.add_argument("--app", required=True)
    parser.add_argument("--fd", type=int, action="append", required=True)
    parser.add_argument("--leash", type=int, help="ends this process when it closes; none when nobody supervises it")
    arguments = parser.parse_args(argv)
    if arguments.leash is not None:
        die_with_parent(arguments.leash)
    # Collecting while a million objects are made that all stay costs a tenth of the start.
    gc.disable()
    set_up_logging()
    app = build(arguments.app)
    gc.freeze()
    gc.enable()
    return run(app, arguments.fd)


def set_up_logging() -> None:
    """Lines on standard output, without collecting for each what none of them shows (logging's page, Optimization)."""
    logging.config.dictConfig(LOGGING)
    logging._srcfile = None  # noqa: SLF001  # where it was logged
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging.logAsyncioTasks = False  # type: ignore[attr-defined]  # from Python 3.12 on


def build(factory: str) -> ASGIApp:
    """Import ``module:factory`` and call it."""
    module, _, name = factory.partition(":")
    app: ASGIApp = getattr(importlib.import_module(module), name)()
    return app


def run(app: Any, descriptors: Sequence[int]) -> int:
    """Serve ``app`` on listening sockets; returns the exit code, 3 when its lifespan did not start (as uvicorn's)."""
    server = Server(configuration(_simulated(app)))
    server.run(sockets=[socket.socket(fileno=descriptor) for descriptor in descriptors])
    logging.shutdown()
    return 0 if server.started else 3


def configuration(app: Any) -> uvicorn.Config:
    """How every service is served; its logging is set up already."""
    return uvicorn.Config(
        app,
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

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """SIGTERM or SIGINT came."""
        super().handle_exit(sig, frame)
        self._leaving.set()

    async def main_loop(self) -> None:
        """Serve until it is time to leave; once a second renew what :meth:`on_tick` keeps up to date."""
        while not await self.on_tick(0):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._leaving.wait(), TICK_S)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Take no more connections, let what is under way finish for a moment, end the lifespan."""
        for server in self.servers:
            server.close()
        for listening in sockets or []:
            listening.close()
        for connection in tuple(self.server_state.connections):
            connection.shutdown()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(STREAMS_MAY_TAKE_S):
                while self.server_state.connections or self.server_state.tasks:  # noqa: ASYNC110  # uvicorn has no event
                    await asyncio.sleep(LOOK_AGAIN_S)
        for task in self.server_state.tasks:
            task.cancel()
        await self.lifespan.shutdown()


def _simulated(app: Any) -> Any:
    """The app inside the simulation layer. What that is told leaves the environment, so the service knows nothing."""
    name, secret, database = (os.environ.pop(f"HARNESS_{what}", "") for what in ("SERVICE", "SECRET", "DATABASE"))
    template = os.environ.pop("HARNESS_TEMPLATE", "")
    data = Database(Path(database), Path(template) if template else None) if database else None
    return SimulationLayer(app, service=name, secret=secret, database=data)


if __name__ == "__main__":
    sys.exit(main())
