"""The MCP servers of the shared system, over bare HTTP."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from scenarios.services.mcp_servers.wire import Wire

if TYPE_CHECKING:
    import httpx

    from harness.stack import Stack


@pytest.fixture(scope="session")
def wire_to(shared_stack: Stack, nobody: httpx.Client) -> Callable[[str], Wire]:
    """``wire_to("ticketing")``: the endpoint of that server."""
    return lambda service: Wire(shared_stack.url(service), nobody)
