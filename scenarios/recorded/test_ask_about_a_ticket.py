"""Recorded as alice. Edit freely; assertions make it a scenario."""

from collections.abc import Callable

from playwright.sync_api import Page, expect


def test_ask_about_a_ticket(page_as: Callable[[str], Page]) -> None:
    page = page_as("alice")
    page.get_by_role("link", name="ACME-1 VPN drops every ten").click()
    page.get_by_role("link", name="Ask about this ticket").click()
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_text("ACME-1 VPN drops every ten")).to_be_visible()
