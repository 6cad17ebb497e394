"""The web interface in the words of its users."""

from __future__ import annotations

from playwright.sync_api import Locator, Page


class Tickets:
    """The list of tickets."""

    def __init__(self, page: Page) -> None:
        self.page = page

    @property
    def keys(self) -> list[str]:
        """The keys that are shown, from top to bottom."""
        self.page.get_by_role("link", name="ACME-").or_(self.page.get_by_role("link", name="GLBX-")).first.wait_for()
        return [text.split()[0] for text in self.page.get_by_role("link").all_inner_texts() if "-" in text]

    def row(self, text: str) -> Locator:
        """The entry of one ticket, by its key or title."""
        return self.page.get_by_role("link").filter(has_text=text)

    def create(self, title: str, description: str = "") -> None:
        """Fill in the form for a new ticket and send it."""
        self.page.get_by_role("button", name="New ticket").click()
        self.page.get_by_label("Title").fill(title)
        if description:
            self.page.get_by_label("Description").fill(description)
        self.page.get_by_role("button", name="Create ticket").click()


class Assistant:
    """The chat."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.conversation = page.get_by_role("log", name="Conversation")

    @classmethod
    def opened(cls, page: Page) -> Assistant:
        """Go there by the navigation."""
        page.get_by_role("link", name="Assistant").click()
        return cls(page)

    def ask(self, message: str) -> None:
        """Send a message; the answer streams into the conversation."""
        self.page.get_by_role("textbox", name="Message").fill(message)
        self.page.get_by_role("button", name="Send").click()


def sign_out(page: Page, name: str) -> None:
    """By the menu that bears the person's name."""
    page.get_by_role("button", name=name).click()
    page.get_by_role("menuitem", name="Sign out").click()
