"""The MCP servers of the shared system, over bare HTTP."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import httpx
import pytest

from scenarios.services.mcp_servers.wire import Wire

if TYPE_CHECKING:
    from harness.stack import Stack


@pytest.fixture(scope="session")
def wire_to(shared_stack: Stack) -> Iterator[Callable[[str], Wire]]:
    """``wire_to("ticketing")``: the endpoint of that server."""
    with httpx.Client() as client:
        yield lambda service: Wire(shared_stack.url(service), client)
