"""A page shows what others do while somebody looks at it, whatever way they do it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from harness.person import Person
from harness.stack import Stack
from scenarios.system.pages import Tickets

pytestmark = pytest.mark.xdist_group("live-pages")  # begun first: it takes long

AsUser = Callable[[str], Person]
PageAs = Callable[[str], Page]


def test_the_list_shows_what_others_do(stack: Stack, page_as: PageAs, as_user: AsUser) -> None:
    page, adam = page_as("alice"), as_user("adam")
    tickets = Tickets(page)
    expect(tickets.row("VPN drops every ten minutes")).to_be_visible()
    page.evaluate("document.documentElement.dataset.mark = 'the same page'")

    made = adam.api.post("/api/tickets", json={"title": "Made by REST"}).json()
    expect(tickets.row("Made by REST")).to_be_visible()
    adam.call_tool("ticketing", "transition_ticket", key=made["key"], to="in_progress")
    expect(page.get_by_test_id(f"ticket-{made['key']}")).to_contain_text("In progress")
    adam.api.delete(f"/api/tickets/{made['key']}", headers={"If-Match": '"2"'}).raise_for_status()
    expect(tickets.row("Made by REST")).not_to_be_visible()
    assert page.evaluate("document.documentElement.dataset.mark") == "the same page"


def test_a_ticket_changes_under_the_eyes_of_its_reader(stack: Stack, page_as: PageAs, as_user: AsUser) -> None:
    page, adam = page_as("alice"), as_user("adam")
    made = adam.api.post("/api/tickets", json={"title": "First title"}).json()
    path = f"/api/tickets/{made['key']}"
    page.goto(f"/tickets/{made['key']}")
    expect(page.get_by_role("heading", name="First title")).to_be_visible()
    adam.api.patch(path, json={"title": "Second title"}, headers={"If-Match": '"1"'}).raise_for_status()
    expect(page.get_by_role("heading", name="Second title")).to_be_visible()
    adam.api.delete(path, headers={"If-Match": '"2"'}).raise_for_status()
    expect(page.get_by_text(f"There is no ticket {made['key']}")).to_be_visible()


def test_a_page_goes_on_listening_after_the_api_was_started_anew(
    stack: Stack, page_as: PageAs, as_user: AsUser
) -> None:
    page, adam = page_as("alice"), as_user("adam")
    expect(Tickets(page).row("VPN drops every ten minutes")).to_be_visible()
    stack.restart("api")
    adam.call_tool("ticketing", "create_ticket", title="Made meanwhile")
    expect(Tickets(page).row("Made meanwhile")).to_be_visible()
