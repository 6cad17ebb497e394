"""What the fixtures give: MCP clients, and pages where somebody is signed in without the login page."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from fastmcp.exceptions import ToolError
from playwright.sync_api import BrowserContext, Page, expect

from harness import web
from harness.code_flow import SignInError
from harness.errors import HarnessError
from harness.stack import Stack
from scenarios.system.pages import Tickets, sign_out

if TYPE_CHECKING:
    from harness.mcp_client import McpClient

Connect = Callable[..., "McpClient"]
Open = Callable[..., BrowserContext]
PageAs = Callable[[str], Page]


def test_an_mcp_client_is_fastmcps_own_and_its_coroutines_are_functions(
    shared_stack: Stack, mcp_client: Connect
) -> None:
    client = mcp_client("ticketing", "alice")
    assert {"get_ticket", "search_tickets"} <= {tool.name for tool in client.list_tools()}
    assert client.call_tool("get_ticket", {"key": "ACME-1"}).structured_content["key"] == "ACME-1"
    with pytest.raises(ToolError, match="not_found"):
        client.call_tool("get_ticket", {"key": "GLBX-1"})
    assert client.is_connected()


def test_an_mcp_client_works_while_a_browser_runs(page: Page, mcp_client: Connect) -> None:
    page.goto("/config.json")
    assert mcp_client("organizations", "alice", mode="legacy").list_tools()


@pytest.mark.parametrize("service", ["idp", "sauna"])
def test_an_mcp_client_of_something_else_is_refused(mcp_client: Connect, service: str) -> None:
    with pytest.raises(HarnessError, match=f"no service called '{service}' takes tokens"):
        mcp_client(service, "alice")


def test_the_handle_of_a_service_that_does_not_run_is_refused(shared_stack: Stack) -> None:
    with pytest.raises(HarnessError, match=r"'sauna' is not part of the system .*\n.*it runs: idp, "):
        shared_stack.service("sauna")


@pytest.mark.signed_in_as("alice")
def test_a_page_can_begin_signed_in(page: Page, shared_stack: Stack) -> None:
    page.goto("/tickets")
    expect(Tickets(page).row("VPN drops every ten minutes")).to_be_visible()
    expect(page.get_by_role("button", name="Alice Anders")).to_be_visible()
    assert shared_stack.url("ui") in page.url


def test_nobody_can_begin_signed_in_under_an_unknown_name(open_context: Open) -> None:
    with pytest.raises(pytest.fail.Exception, match="nobody called 'zaphod' can sign in"):
        open_context("zaphod")


def test_a_stored_session_is_what_the_login_page_leaves_and_nobody_elses(open_context: Open, page_as: PageAs) -> None:
    phone, laptop = web.sign_in(open_context().new_page(), "alice"), page_as("alice")
    expect(Tickets(phone).row("VPN drops every ten minutes")).to_be_visible()
    real, made = phone.context.storage_state(), laptop.context.storage_state()
    assert [shape(cookie) for cookie in sorted(real["cookies"], key=name)] == [
        shape(cookie) for cookie in sorted(made["cookies"], key=name)
    ]
    assert stored(real) == stored(made)

    sign_out(phone, "Alice Anders")
    expect(phone.get_by_role("button", name="Sign in")).to_be_visible()
    laptop.reload()
    expect(Tickets(laptop).row("VPN drops every ten minutes")).to_be_visible()


def name(cookie: Any) -> str:
    return str(cookie["name"])


def shape(cookie: Any) -> dict[str, Any]:
    """A cookie without its secret."""
    return {key: value for key, value in cookie.items() if key != "value"}


def stored(state: Any) -> dict[str, Any]:
    """What the web interface has stored, by origin and key: the types of values."""
    return {
        f"{origin['origin']} {entry['name']}": types(json.loads(entry["value"]))
        for origin in state["origins"]
        for entry in origin["localStorage"]
    }


def types(value: Any) -> Any:
    return {key: types(each) for key, each in value.items()} if isinstance(value, dict) else type(value).__name__


def test_signing_in_without_a_browser_refuses_an_unknown_name(shared_stack: Stack) -> None:
    with pytest.raises(SignInError) as refused:
        web.session(shared_stack.url("ui"), "zaphod")
    assert "who can: alice, " in str(refused.value)
