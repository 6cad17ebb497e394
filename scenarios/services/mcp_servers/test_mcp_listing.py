"""What the tools of both servers say of themselves, and that it is enforced."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import anyio.from_thread
import pytest
from fastmcp import Client

from scenarios.services.mcp_servers.wire import Wire

if TYPE_CHECKING:
    import mcp_types

    from harness.person import Person
    from harness.stack import Stack

AsUser = Callable[[str], "Person"]
WireTo = Callable[[str], Wire]

TOOLS = {
    "ticketing": ["search_tickets", "get_ticket", "create_ticket"],
    "organizations": ["whoami", "list_members", "update_member_role"],
}
BOTH = pytest.mark.parametrize("service", TOOLS)
ERAS = pytest.mark.parametrize("mode", ["auto", "legacy"])


def listed(url: str, token: str, mode: str = "auto") -> list[mcp_types.Tool]:
    async def ask() -> list[mcp_types.Tool]:
        async with Client(url, auth=token, mode=mode) as client:
            tools: list[mcp_types.Tool] = await client.list_tools()
            return tools

    with anyio.from_thread.start_blocking_portal() as portal:
        return portal.call(ask)


@BOTH
@ERAS
def test_the_listing_is_the_same_in_both_eras_for_whoever_asks(
    shared_stack: Stack, as_user: AsUser, service: str, mode: str
) -> None:
    url = shared_stack.audience(service)
    everything = listed(url, as_user("alice").token(service), mode)
    assert [tool.name for tool in everything] == TOOLS[service]
    assert listed(url, as_user("victor").token(service, scope="openid"), mode) == everything


@BOTH
def test_every_tool_says_what_it_takes_gives_and_does(shared_stack: Stack, as_user: AsUser, service: str) -> None:
    for tool in listed(shared_stack.audience(service), as_user("alice").token(service)):
        assert tool.description, tool.name
        assert tool.input_schema["additionalProperties"] is False
        assert not {"desk", "org_id", "organization"} & set(tool.input_schema["properties"])
        assert tool.output_schema is not None
        assert tool.output_schema["type"] == "object"
        assert tool.output_schema["additionalProperties"] is False
        hints = tool.annotations
        assert hints is not None
        assert hints.read_only_hint is not tool.name.startswith(("create_", "update_"))
        assert hints.idempotent_hint is hints.read_only_hint
        assert hints.destructive_hint is tool.name.startswith("update_")
        assert hints.open_world_hint is False


@BOTH
def test_no_tool_can_be_called_without_a_scope(
    shared_stack: Stack, wire_to: WireTo, as_user: AsUser, service: str
) -> None:
    unscoped = as_user("olivia").token(service, scope="openid")
    for tool in listed(shared_stack.audience(service), unscoped):
        assert wire_to(service).call(tool.name, token=unscoped).status_code == 403, tool.name
