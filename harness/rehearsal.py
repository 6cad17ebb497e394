"""Building every app once and running each through one short life, so that a fork inherits all that this costs.

FastAPI builds route internals at the first request, pydantic its validators at first use, libraries import inside
functions: what is only imported still costs some 80 ms per fork. After one life by raw ASGI it costs 10.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
import threading
import traceback
from collections.abc import Coroutine, Mapping
from pathlib import Path
from typing import Any

from starlette.types import ASGIApp, Message, Scope

from harness.serve import build, set_up_logging
from harness.server import configuration
from harness.simulation.lifespan import Lifespan

THREADS_END_IN_S = 5.0


def rehearse(services: Mapping[str, Mapping[str, Any]]) -> dict[str, ASGIApp]:
    """Build and rehearse ``services`` (name to ``app``, ``health`` and the ``env`` of a stack that never listens).

    One that fails is left out, and told on standard error.
    """
    apps = {}
    before = dict(os.environ)
    with tempfile.TemporaryDirectory() as folder:
        # What the server of the web interface needs to see in place of the built one.
        Path(folder, "index.html").write_text("<!doctype html><title>Rehearsal</title>", encoding="utf-8")
        for name, service in services.items():
            env = {key: value.replace("{folder}", folder) for key, value in service["env"].items()}
            os.environ.clear()
            os.environ.update(env)
            try:
                apps[name] = build(service["app"])
                _run(_one_life(apps[name], service["health"]))
            except Exception:  # noqa: BLE001  # it starts cold then, and fails where its own log shows why
                apps.pop(name, None)
                traceback.print_exc()
            finally:
                os.environ.clear()
                os.environ.update(before)
    _let_threads_end()
    set_up_logging()
    return apps


def _run(life: Coroutine[Any, Any, None]) -> None:
    """On the event loop of the real server, whose parts are loaded by this."""
    config = configuration(None)
    config.load()
    with asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
        runner.run(life)


def _let_threads_end() -> None:
    """A service that has ended may have left a thread that is just finishing; a fork would cut it off."""
    for thread in threading.enumerate():
        if thread is not threading.main_thread():
            thread.join(THREADS_END_IN_S)


async def _one_life(app: ASGIApp, health: str) -> None:
    life = Lifespan(app)
    await life.start()
    try:
        status = await _get(app, health, life.state)
        if status != 200:  # noqa: PLR2004
            raise RuntimeError(f"{health} answered {status}")
    finally:
        await life.end()


async def _get(app: ASGIApp, path: str, state: Mapping[str, Any]) -> int:
    scope: Scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(b"host", b"localhost")],
        "server": ("localhost", 80),
        "client": ("127.0.0.1", 1),
        "state": dict(state),
    }
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    await app(scope, receive, send)
    return int(sent[0]["status"])
