"""Runs one service on sockets it inherits: ``python -m harness.serve --app MODULE:FACTORY --fd N --leash N``."""

from __future__ import annotations

import argparse
import gc
import importlib
import logging
import os
import socket
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import uvicorn
from starlette.types import ASGIApp

from harness.leash import die_with_parent
from harness.simulation.layer import SimulationLayer

STREAMS_MAY_TAKE_S = 1
ACCESS_LOG_FIELDS = 5
LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)-7s %(name)s: %(message)s"}},
    "filters": {"no-queries": {"()": "harness.serve.WithoutQuery"}},
    "handlers": {"log": {"class": "logging.StreamHandler", "formatter": "line", "stream": "ext://sys.stdout"}},
    "root": {"handlers": ["log"], "level": "INFO"},
    "loggers": {
        "uvicorn.access": {"filters": ["no-queries"]},
        "httpx": {"level": "WARNING"},
        "httpx2": {"level": "WARNING"},
    },
}


class WithoutQuery(logging.Filter):
    """Cuts query strings off the access log: they carry codes, state and ID tokens (RFC 9700 §4.2.4)."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Change the record's path in place; every record is kept."""
        if isinstance(record.args, tuple) and len(record.args) == ACCESS_LOG_FIELDS:
            client, method, path, version, status = record.args
            record.args = (client, method, str(path).partition("?")[0], version, status)
        return True


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
    app = build(arguments.app)
    gc.freeze()
    gc.enable()
    return run(app, arguments.fd)


def build(factory: str) -> ASGIApp:
    """Import ``module:factory`` and call it."""
    module, _, name = factory.partition(":")
    app: ASGIApp = getattr(importlib.import_module(module), name)()
    return app


def run(app: Any, descriptors: Sequence[int]) -> int:
    """Serve ``app`` on listening sockets; returns the exit code, 3 when its lifespan did not start (as uvicorn's)."""
    server = uvicorn.Server(
        uvicorn.Config(
            _simulated(app),
            lifespan="on",
            ws="none",
            log_config=LOGGING,
            server_header=False,
            timeout_graceful_shutdown=STREAMS_MAY_TAKE_S,
        )
    )
    server.run(sockets=[socket.socket(fileno=descriptor) for descriptor in descriptors])
    logging.shutdown()
    return 0 if server.started else 3


def _simulated(app: Any) -> Any:
    """The app inside the simulation layer. What that is told leaves the environment, so the service knows nothing."""
    name, secret, database = (os.environ.pop(f"HARNESS_{what}", "") for what in ("SERVICE", "SECRET", "DATABASE"))
    return SimulationLayer(app, service=name, secret=secret, database=Path(database) if database else None)


if __name__ == "__main__":
    sys.exit(main())
