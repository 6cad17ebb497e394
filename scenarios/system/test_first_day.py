"""The whole system in one walk: browser, identity provider, API, both MCP servers, the assistant."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from fastmcp.exceptions import ToolError
from playwright.sync_api import Page, expect

from harness.person import Person
from harness.stack import Stack
from scenarios.system.pages import Assistant, Tickets, sign_out

pytestmark = pytest.mark.xdist_group("first-day")  # begun first: it takes long


def test_a_ticket_created_in_the_browser_is_the_same_for_the_api_the_tools_and_the_assistant(
    stack: Stack, page: Page, as_user: Callable[[str], Person]
) -> None:
    page.goto("/")
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_url(re.compile(re.escape(stack.url("idp"))))
    page.get_by_role("button", name="Alice Anders").click()

    expect(page.get_by_role("heading", name="Tickets")).to_be_visible()
    tickets = Tickets(page)
    expect(tickets.row("VPN drops every ten minutes")).to_be_visible()
    assert {key.split("-")[0] for key in tickets.keys} == {"ACME"}

    tickets.create("The coffee machine is on strike", "It shows the number 418.")
    entry = tickets.row("The coffee machine is on strike")
    expect(entry).to_be_visible()
    key = entry.inner_text().split()[0]
    assert re.fullmatch(r"ACME-\d+", key)

    alice, grace = as_user("alice"), as_user("grace")
    found = alice.call_tool("ticketing", "get_ticket", key=key)
    assert (found["title"], found["description"]) == ("The coffee machine is on strike", "It shows the number 418.")
    shown = alice.api.get(f"/api/tickets/{key}").json()
    assert shown == {name: found[name] for name in shown}
    with pytest.raises(ToolError, match=r"not_found|no ticket"):
        grace.call_tool("ticketing", "get_ticket", key=key)
    assert grace.api.get(f"/api/tickets/{key}").status_code == 404

    assistant = Assistant.opened(page)
    assistant.ask(f"show {key}")
    expect(assistant.conversation).to_contain_text("get_ticket")
    expect(assistant.conversation.get_by_text("The coffee machine is on strike").first).to_be_visible()

    sign_out(page, "Alice Anders")
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    page.goto("/tickets")
    expect(page.get_by_role("heading", name="Tickets")).not_to_be_visible()


def test_two_people_of_two_organizations_see_their_own_tickets(page_as: Callable[[str], Page]) -> None:
    alice, grace = Tickets(page_as("alice")), Tickets(page_as("grace"))
    assert {key.split("-")[0] for key in alice.keys} == {"ACME"}
    assert {key.split("-")[0] for key in grace.keys} == {"GLBX"}


def test_hostile_text_in_a_ticket_stays_text(page_as: Callable[[str], Page]) -> None:
    page = page_as("alice")
    expect(Tickets(page).row("<script>alert('title')</script> in the asset list")).to_be_visible()


def test_the_notice_of_a_new_ticket_stays_behind_when_one_goes_on(stack: Stack, page_as: Callable[[str], Page]) -> None:
    page = page_as("alice")
    Tickets(page).create("The notice must not be in the way")
    notice = page.get_by_role("status", name="Notices").get_by_text("was created")
    expect(notice).to_be_visible()
    Assistant.opened(page)
    expect(page.get_by_role("textbox", name="Message")).to_be_visible()
    expect(notice).not_to_be_visible(timeout=1000)


def test_who_is_in_two_organizations_works_in_the_one_they_choose(page: Page) -> None:
    page.goto("/")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("button", name="Nora Fischer Agent")).to_be_visible()
    page.get_by_role("region", name="Globex").get_by_role("button", name="Nora Fischer Viewer").click()
    expect(page.get_by_role("heading", name="Tickets")).to_be_visible()
    expect(page.get_by_text(re.compile(r"^GLBX-")).first).to_be_visible()
    assert {key.split("-")[0] for key in Tickets(page).keys} == {"GLBX"}
