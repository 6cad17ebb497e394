"""Runs one service on sockets it inherits: ``python -m harness.serve --app MODULE:FACTORY --fd N --leash N``.

The simulation layer will stand here, around the app; the services know nothing of it.
"""

from __future__ import annotations

import argparse
import importlib
import logging
import socket
import sys
from collections.abc import Sequence
from typing import Any

import uvicorn

from harness.leash import die_with_parent

STREAMS_MAY_TAKE_S = 1
LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)-7s %(name)s: %(message)s"}},
    "handlers": {"log": {"class": "logging.StreamHandler", "formatter": "line", "stream": "ext://sys.stdout"}},
    "root": {"handlers": ["log"], "level": "INFO"},
    "loggers": {"httpx": {"level": "WARNING"}, "httpx2": {"level": "WARNING"}},
}


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until SIGTERM or until the parent is gone. Exit code 3: the lifespan did not start (uvicorn's own)."""
    parser = argparse.ArgumentParser(prog="python -m harness.serve")
    parser.add_argument("--app", required=True)
    parser.add_argument("--fd", type=int, action="append", required=True)
    parser.add_argument("--leash", type=int, required=True)
    arguments = parser.parse_args(argv)
    die_with_parent(arguments.leash)
    module, _, factory = arguments.app.partition(":")
    app = getattr(importlib.import_module(module), factory)()
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            lifespan="on",
            ws="none",
            log_config=LOGGING,
            server_header=False,
            timeout_graceful_shutdown=STREAMS_MAY_TAKE_S,
        )
    )
    server.run(sockets=[socket.socket(fileno=fd) for fd in arguments.fd])
    logging.shutdown()
    return 0 if server.started else 3


if __name__ == "__main__":
    sys.exit(main())
