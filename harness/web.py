"""The web interface as a user of the harness meets it: signing in through the real login page."""

from __future__ import annotations

from playwright.sync_api import Page


def sign_in(page: Page, username: str) -> Page:
    """From the start page through the identity provider to the list of tickets; returns the page.

    The page's context must have the web interface as its base URL.
    """
    page.goto("/")
    page.get_by_role("button", name="Sign in").click()
    page.locator(f'button[name="username"][value="{username}"]').click()
    page.wait_for_url("**/tickets")
    return page
