"""The MCP servers of the shared system, over bare HTTP, and programs that would take long to import FastMCP."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from scenarios.services.mcp_servers.forks import Forks
from scenarios.services.mcp_servers.wire import Wire

if TYPE_CHECKING:
    import httpx

    from harness.stack import Stack


@pytest.fixture(scope="session")
def wire_to(shared_stack: Stack, nobody: httpx.Client) -> Callable[[str], Wire]:
    """``wire_to("ticketing")``: the endpoint of that server."""
    return lambda service: Wire(shared_stack.url(service), nobody)


@pytest.fixture(scope="session")
def forks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forks]:
    """What FastMCP's command line and further processes of our servers are forked from."""
    apps = [f"services.{name}.app" for name in ("ticketing", "organizations")]
    with closing(Forks("fastmcp.cli", "harness.serve", *apps, home=tmp_path_factory.mktemp("forks"))) as forks:
        yield forks
