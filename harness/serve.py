"""Runs one service on sockets it inherits: ``python -m harness.serve --app MODULE:FACTORY --fd N --leash N``."""

from __future__ import annotations

import argparse
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
from typing import Any

from starlette.types import ASGIApp

from harness import validators
from harness.simulation.database import Database
from harness.simulation.layer import SimulationLayer
from harness.tether import die_with_parent

STDOUT = 1
LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"()": "harness.serve.Line", "fmt": "%(asctime)s %(levelname)-7s %(name)s: %(message)s"}},
    "handlers": {"log": {"class": "harness.serve.Output", "formatter": "line"}},
    "root": {"handlers": ["log"], "level": "INFO"},
    "loggers": {
        "httpx": {"level": "WARNING"},
        "httpx2": {"level": "WARNING"},
    },
}


class Output(logging.Handler):
    """Standard output. Every line is a write of its own, which nothing holds back and no lock has to keep whole."""

    def createLock(self) -> None:  # noqa: N802
        """None."""
        self.lock = None

    def emit(self, record: logging.LogRecord) -> None:
        """Write it."""
        try:
            left = f"{self.format(record)}\n".encode(errors="backslashreplace")
            while left:
                left = left[os.write(STDOUT, left) :]
        except Exception:  # noqa: BLE001  # as every handler of the standard library
            self.handleError(record)


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
    parser.add_argument("--library", action="append", default=[], help="load it before, without its validators")
    parser.add_argument("--fd", type=int, action="append", required=True)
    parser.add_argument("--leash", type=int, help="ends this process when it closes; none when nobody supervises it")
    arguments = parser.parse_args(argv)
    if arguments.leash is not None:
        die_with_parent(arguments.leash)
    # Collecting while a million objects are made that all stay costs a tenth of the start.
    gc.disable()
    # uvicorn would load what it could watch sources with, which is not its job here: 1 MiB in each service.
    sys.modules.setdefault("watchfiles", None)  # type: ignore[arg-type]
    set_up_logging()
    validators.load(arguments.library)
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
    from harness.server import Server, configuration  # noqa: PLC0415  # not before main() has had its say about uvicorn

    server = Server(configuration(_simulated(app)))
    server.run(sockets=[socket.socket(fileno=descriptor) for descriptor in descriptors])
    logging.shutdown()
    return 0 if server.started else 3


def _simulated(app: Any) -> Any:
    """The app inside the simulation layer. What that is told leaves the environment, so the service knows nothing."""
    name, secret, database = (os.environ.pop(f"HARNESS_{what}", "") for what in ("SERVICE", "SECRET", "DATABASE"))
    template = os.environ.pop("HARNESS_TEMPLATE", "")
    data = Database(Path(database), Path(template) if template else None) if database else None
    return SimulationLayer(app, service=name, secret=secret, database=data)


if __name__ == "__main__":
    sys.exit(main())
