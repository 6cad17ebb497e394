"""An MCP server that a scenario puts together itself, over real HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from threading import Thread
from typing import TYPE_CHECKING

import uvicorn

from harness import ports

if TYPE_CHECKING:
    from starlette.types import ASGIApp


@contextmanager
def serving(app: ASGIApp) -> Iterator[str]:
    """The base URL of ``app`` while it is served; connections wait until its lifespan has started."""
    with closing(ports.reserve(0)) as reserved:
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="on", ws="none"))
        thread = Thread(target=server.run, kwargs={"sockets": reserved.listen()})
        thread.start()
        try:
            yield f"http://localhost:{reserved.number}"
        finally:
            server.should_exit = True
            thread.join()
