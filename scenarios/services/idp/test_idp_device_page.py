"""The pages where somebody lets a device in, in a real browser: with keyboard, screen reader and small screen too."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from scenarios.services.idp.conftest import Client
from scenarios.services.idp.devices import begin, poll
from scenarios.services.idp.pages import contrasts

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page


@pytest.fixture
def device_page(browser: Browser, idp: Client, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A real browser where a code is to be typed; the parameter is for its context."""
    with browser.new_context(**getattr(request, "param", {})) as context:
        page = context.new_page()
        complaints: list[str] = []
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(f"{idp.at.idp}/device")
        yield page
        assert [each for each in complaints if "400 (Bad Request)" not in each] == []


@pytest.fixture
def device(idp: Client) -> dict[str, Any]:
    return begin(idp)


def type_code(page: Page, code: str) -> None:
    page.get_by_label("Code").fill(code)
    page.get_by_role("button", name="Continue").click()


@pytest.mark.parametrize(
    "device_page", [{}, {"java_script_enabled": False}], ids=["usual", "no JavaScript"], indirect=True
)
def test_a_browser_lets_a_device_in(device_page: Page, device: dict[str, Any], idp: Client) -> None:
    type_code(device_page, device["user_code"].lower())
    expect(device_page.get_by_role("heading", level=1)).to_have_text("Is this your device?")
    expect(device_page.get_by_text(device["user_code"])).to_be_visible()
    device_page.get_by_role("button", name="It is mine, continue").click()
    device_page.get_by_role("button", name="Alice Anders").click()
    expect(device_page.get_by_role("heading", level=1)).to_have_text("Your device is in")
    assert poll(idp, device["device_code"]).status_code == 200


def test_the_link_saves_the_typing_and_the_session_the_sign_in(
    device_page: Page, device: dict[str, Any], idp: Client
) -> None:
    type_code(device_page, begin(idp)["user_code"])
    device_page.get_by_role("button", name="It is mine, continue").click()
    device_page.get_by_role("button", name="Rita Sørensen").click()
    device_page.goto(device["verification_uri_complete"])
    expect(device_page.get_by_label("Code")).to_have_value(device["user_code"])
    device_page.get_by_role("button", name="Continue").click()
    device_page.get_by_role("button", name="Let it in as Rita Sørensen").click()
    expect(device_page.get_by_role("heading", level=1)).to_have_text("Your device is in")
    assert poll(idp, device["device_code"]).status_code == 200


def test_somebody_else_than_is_signed_in_can_be_chosen(device_page: Page, device: dict[str, Any], idp: Client) -> None:
    type_code(device_page, begin(idp)["user_code"])
    device_page.get_by_role("button", name="It is mine, continue").click()
    device_page.get_by_role("button", name="Rita Sørensen").click()
    device_page.goto(device["verification_uri_complete"])
    device_page.get_by_role("button", name="Continue").click()
    device_page.get_by_role("button", name="Let it in as somebody else").click()
    device_page.get_by_role("button", name="Adam Okafor").click()
    token = poll(idp, device["device_code"]).json()["access_token"]
    assert idp.userinfo(token).json()["preferred_username"] == "adam"


def test_the_keyboard_is_enough(device_page: Page, device: dict[str, Any], idp: Client) -> None:
    expect(device_page.get_by_label("Code")).to_be_focused()
    device_page.keyboard.type(device["user_code"])
    device_page.keyboard.press("Enter")
    expect(device_page.get_by_role("heading", level=1)).to_have_text("Is this your device?")
    device_page.keyboard.press("Tab")
    device_page.keyboard.press("Tab")
    focused = device_page.locator(":focus")
    expect(focused).to_have_accessible_name("No")
    assert focused.evaluate("element => getComputedStyle(element).outlineStyle") == "solid"
    device_page.keyboard.press("Enter")
    expect(device_page.get_by_role("heading", level=1)).to_have_text("Device turned away")
    assert poll(idp, device["device_code"]).json()["error"] == "access_denied"


def test_a_mistake_is_read_out_with_the_field(device_page: Page) -> None:
    type_code(device_page, "BCDF")
    expect(device_page.get_by_role("alert")).to_have_text("A code has eight letters, such as BCDF-GHJK.")
    field = device_page.get_by_label("Code")
    expect(field).to_have_accessible_description("A code has eight letters, such as BCDF-GHJK.")
    expect(field).to_have_value("BCDF")
    expect(field).to_be_focused()
    assert device_page.title() == "Problem: Let a device in · Dress Rehearsal"


def walk(page: Page, device: dict[str, Any]) -> Iterator[str]:
    """Each page on the way, one after the other."""
    yield "the field"
    type_code(page, "BCDF")
    expect(page.get_by_role("alert")).to_be_visible()
    yield "a mistake"
    type_code(page, device["user_code"])
    expect(page.get_by_role("heading", level=1)).to_have_text("Is this your device?")
    yield "the question"
    page.get_by_role("button", name="It is mine, continue").click()
    page.get_by_role("button", name="Alice Anders").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Your device is in")
    yield "the end"


@pytest.mark.parametrize("device_page", [{"color_scheme": "light"}, {"color_scheme": "dark"}], indirect=True)
def test_every_text_has_the_contrast_of_wcag_aa(device_page: Page, device: dict[str, Any]) -> None:
    for where in walk(device_page, device):
        measured = contrasts(device_page)
        assert len(measured) >= 3, where
        assert [(text, ratio) for text, ratio in measured if ratio < 4.5] == [], where


@pytest.mark.parametrize("device_page", [{"viewport": {"width": 320, "height": 640}}], indirect=True)
def test_every_page_fits_a_narrow_screen(device_page: Page, device: dict[str, Any]) -> None:
    for where in walk(device_page, device):
        assert device_page.evaluate("document.documentElement.scrollWidth") <= 320, where
