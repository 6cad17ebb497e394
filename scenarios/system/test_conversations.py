"""What was said to the assistant is there again: after a reload, at its own address, until it is deleted."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from harness.stack import Stack
from scenarios.system.pages import Assistant


def test_a_conversation_is_kept_continued_and_deleted(stack: Stack, page_as: Callable[[str], Page]) -> None:
    page = page_as("alice")
    assistant = Assistant.opened(page)
    assistant.ask("show ACME-1")
    answers = assistant.conversation.get_by_role("article", name="Assistant")
    expect(answers).to_contain_text(["get_ticket"])
    expect(page).to_have_url(re.compile(r"/assistant/[0-9a-f-]{36}$"))
    expect(page.get_by_role("textbox", name="Message")).to_be_focused()
    first = page.url

    page.reload()
    expect(answers).to_contain_text(["ACME-1"])
    assistant.ask("list my tickets")
    expect(answers).to_contain_text(["get_ticket", "Assigned to you"])
    assert page.url == first

    page.get_by_role("button", name="New conversation").click()
    expect(answers).to_have_count(0)
    assistant.ask("Which tickets are open?")
    expect(answers).to_contain_text(["search_tickets"])
    kept = page.get_by_role("list", name="Conversations").get_by_role("link")
    expect(kept).to_contain_text(["Which tickets are open?", "show ACME-1"])
    kept.nth(1).click()
    expect(page).to_have_url(first)
    expect(answers).to_contain_text(["get_ticket", "Assigned to you"])

    page.get_by_role("button", name="Delete “show ACME-1”").click()
    page.get_by_role("alertdialog").get_by_role("button", name="Delete").click()
    expect(kept).to_contain_text(["Which tickets are open?"])
    expect(page).to_have_url(f"{stack.url('ui')}/assistant")
