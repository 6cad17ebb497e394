"""Consent: asked where it is wanted, once, on a page that says for whom and for what (OIDC Core §3.1.2.4)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from scenarios.services.idp.conftest import ALONE, Alone, Client, Living, claims, told
from scenarios.services.idp.pages import contrasts
from services.idp.app import create_app
from services.idp.registry import Client as Registered

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from harness.stack import Stack

STRANGER = Registered(
    id="stranger",
    name="Totally Safe <Notes>",
    grants=frozenset({"authorization_code", "refresh_token"}),
    resources=frozenset({ALONE.api, ALONE.ticketing}),
    redirect_uris=frozenset({"http://127.0.0.1:9/back"}),
    consent=True,
    issued_at=1_700_000_000,
)


@pytest.fixture
def stranger(alone: Alone) -> dict[str, str]:
    """What an application that registered itself asks for."""
    alone.provider.registry.clients.put(STRANGER.id, STRANGER)
    return by_stranger(alone)


def by_stranger(alone: Alone, **changes: str | None) -> dict[str, str]:
    usual: dict[str, str | None] = {"client_id": "stranger", "redirect_uri": "http://127.0.0.1:9/back"}
    return alone.asked(**usual | {"scope": "openid tickets:read"} | changes)


def question(alone: Alone, stranger: dict[str, str], username: str = "alice") -> str:
    """The address of the question, once somebody has signed in."""
    asked = alone.pick(username, alone.authorize(stranger)).headers["location"]
    assert asked.startswith(f"{ALONE.idp}/consent?interaction=")
    return str(asked)


def answer(alone: Alone, address: str, answer: str = "allow") -> dict[str, str]:
    return told(alone.answer(address, answer))


def test_an_application_that_wants_consent_is_let_in_only_with_it(alone: Alone, stranger: dict[str, str]) -> None:
    back = answer(alone, question(alone, stranger))
    assert (back["state"], back["iss"]) == ("the state", ALONE.idp)
    redeemed = alone.redeem(back["code"], client_id="stranger", redirect_uri="http://127.0.0.1:9/back").json()
    assert claims(redeemed["id_token"])["aud"] == claims(redeemed["access_token"])["client_id"] == "stranger"


def test_the_question_names_application_resource_person_and_every_scope(alone: Alone, stranger: dict[str, str]) -> None:
    asked = by_stranger(alone, scope="openid email offline_access tickets:read", resource=ALONE.ticketing)
    text = alone.http.get(question(alone, asked)).text
    said = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", text.partition("<main>")[2]))
    for each in (
        "Totally Safe &lt;Notes&gt;",
        "Alice Anders",
        "Ticketing",
        ALONE.ticketing,
        "Read tickets",
        "See your e-mail address",
        "Stay signed in",
        "registered itself",
        "127.0.0.1:9",
    ):
        assert each in said
    assert "Delete tickets" not in said
    assert "<Notes>" not in text


def test_one_the_registry_vouches_for_is_not_called_a_stranger(alone: Alone) -> None:
    alone.sign_in()
    text = alone.http.get(alone.authorize(alone.asked(prompt="consent")).headers["location"]).text
    assert ("Command line" in text, "registered itself" in text) == (True, False)


def test_denying_is_told_to_the_application(alone: Alone, stranger: dict[str, str]) -> None:
    back = answer(alone, question(alone, stranger), "deny")
    assert (back["error"], back["state"], back["iss"]) == ("access_denied", "the state", ALONE.idp)
    assert "code" not in back
    assert told(alone.authorize(stranger | {"prompt": "none"}))["error"] == "consent_required"


def test_what_was_allowed_is_not_asked_again(alone: Alone, stranger: dict[str, str]) -> None:
    answer(alone, question(alone, stranger))
    for scope in ("openid tickets:read", "tickets:read"):
        assert "code" in told(alone.authorize(by_stranger(alone, scope=scope, prompt="none")))


@pytest.mark.parametrize("more", ["a scope", "a resource", "a person"])
def test_more_is_asked_again(alone: Alone, stranger: dict[str, str], more: str) -> None:
    answer(alone, question(alone, stranger))
    asked = {
        "a scope": by_stranger(alone, scope="openid tickets:read tickets:write"),
        "a resource": by_stranger(alone, resource=ALONE.ticketing),
        "a person": stranger,
    }[more]
    if more == "a person":
        address = alone.pick("adam", alone.authorize(asked | {"prompt": "login"})).headers["location"]
    else:
        assert told(alone.authorize(asked | {"prompt": "none"}))["error"] == "consent_required"
        address = alone.authorize(asked).headers["location"]
    assert address.startswith(f"{ALONE.idp}/consent?")


def test_consents_add_up(alone: Alone, stranger: dict[str, str]) -> None:
    answer(alone, question(alone, stranger))
    answer(alone, alone.authorize(by_stranger(alone, scope="email tickets:write")).headers["location"])
    both = by_stranger(alone, scope="openid email tickets:read tickets:write", prompt="none")
    assert "code" in told(alone.authorize(both))


def test_a_demand_is_asked_whoever_was_allowed_before(alone: Alone, stranger: dict[str, str]) -> None:
    answer(alone, question(alone, stranger))
    address = alone.authorize(stranger | {"prompt": "consent"}).headers["location"]
    assert address.startswith(f"{ALONE.idp}/consent?")
    assert "code" in answer(alone, address)


def test_denying_what_was_allowed_before_takes_it_back(alone: Alone, stranger: dict[str, str]) -> None:
    answer(alone, question(alone, stranger))
    answer(alone, alone.authorize(stranger | {"prompt": "consent"}).headers["location"], "deny")
    assert told(alone.authorize(stranger | {"prompt": "none"}))["error"] == "consent_required"


def test_a_demand_for_both_brings_both_pages(alone: Alone) -> None:
    alone.sign_in("alice")
    begun = alone.authorize(alone.asked(prompt="login consent"))
    assert begun.headers["location"].startswith(f"{ALONE.idp}/login?")
    asked = alone.pick("adam", begun).headers["location"]
    assert "Adam Okafor" in alone.http.get(asked).text
    assert "code" in answer(alone, asked)


def test_who_wants_no_consent_is_not_kept_waiting(alone: Alone) -> None:
    assert "code" in alone.sign_in()


def test_the_login_page_cannot_be_skipped(alone: Alone) -> None:
    alone.sign_in("alice")
    begun = told(alone.authorize(alone.asked(prompt="login consent")))
    for response in (
        alone.http.get("/consent", params=begun),
        alone.post("/consent", {**begun, "answer": "allow"}),
    ):
        assert (response.status_code, "location" in response.headers) == (400, False)


def test_an_answer_from_another_browser_counts_for_nothing(alone: Alone, stranger: dict[str, str]) -> None:
    address = question(alone, stranger)
    alone.http.cookies.clear()
    for response in (alone.http.get(address), alone.answer(address)):
        assert (response.status_code, "location" in response.headers) == (400, False)
    alone.sign_in("alice")
    assert told(alone.authorize(stranger | {"prompt": "none"}))["error"] == "consent_required"


def test_nobody_answers_for_whoever_was_asked(alone: Alone, stranger: dict[str, str]) -> None:
    address = question(alone, stranger, "alice")
    alone.sign_in("adam")
    for response in (alone.http.get(address), alone.answer(address)):
        assert (response.status_code, "location" in response.headers) == (400, False)
        assert "Somebody else" in response.text


@pytest.mark.parametrize("given", [{}, {"answer": "maybe"}, {"answer": ""}, {"answer": "Allow"}])
def test_anything_but_yes_or_no_is_no_answer(alone: Alone, stranger: dict[str, str], given: dict[str, str]) -> None:
    interaction = question(alone, stranger).rpartition("=")[2]
    response = alone.post("/consent", {"interaction": interaction, **given})
    assert (response.status_code, "location" in response.headers) == (400, False)
    assert told(alone.authorize(stranger | {"prompt": "none"}))["error"] == "consent_required"


def test_a_question_may_not_be_answered_twice_in_one_breath(alone: Alone, stranger: dict[str, str]) -> None:
    interaction = question(alone, stranger).rpartition("=")[2]
    body = f"interaction={interaction}&answer=deny&answer=allow"
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    assert alone.http.post("/consent", content=body, headers=headers).status_code == 400


def test_a_question_left_open_expires(alone: Alone, stranger: dict[str, str]) -> None:
    address = question(alone, stranger)
    alone.seconds += 600
    assert (alone.http.get(address).status_code, alone.answer(address).status_code) == (400, 400)


def test_a_question_of_an_application_that_is_gone_leads_nowhere(alone: Alone, stranger: dict[str, str]) -> None:
    address = question(alone, stranger)
    alone.provider.registry.clients.drop("stranger")
    for response in (alone.http.get(address), alone.answer(address)):
        assert (response.status_code, "location" in response.headers) == (400, False)


@pytest.mark.parametrize("query", ["", "interaction=", "interaction=made-up", "interaction=a&interaction=b"])
def test_a_question_nobody_asked_says_so(alone: Alone, query: str) -> None:
    assert alone.http.get(f"/consent?{query}").status_code == 400


def test_an_answer_is_remembered_across_a_restart(
    living: Living, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IDP_DATABASE_URL", f"sqlite:///{tmp_path / 'idp.db'}")
    cookies: dict[str, str] = {}
    for time in ("first", "second"):
        with living(create_app()) as alone:
            if time == "first":
                alone.provider.registry.clients.put(STRANGER.id, STRANGER)
                answer(alone, question(alone, by_stranger(alone)))
                cookies = dict(alone.http.cookies)
            else:
                alone.has_cookies(cookies)
                assert "code" in told(alone.authorize(by_stranger(alone, prompt="none")))
                alone.provider.store.forget()
                alone.sign_in()
                assert told(alone.authorize(by_stranger(alone, prompt="none")))["error"] == "consent_required"


@pytest.fixture
def question_page(
    browser: Browser, idp: Client, callback: str, shared_stack: Stack, request: pytest.FixtureRequest
) -> Iterator[Page]:
    """A real browser at the question of an application that registered itself; the parameter is for its context."""
    control = shared_stack.control("idp")
    about = STRANGER.model_dump(mode="json", exclude={"secret_digest", "registration_digest"})
    control.put_client("stranger", **about | {"redirect_uris": [callback], "resources": [idp.at.ticketing]})
    with browser.new_context(**getattr(request, "param", {})) as context:
        page = context.new_page()
        complaints: list[str] = []
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        asked = idp.asked(
            client_id="stranger", redirect_uri=callback, resource=idp.at.ticketing, prompt="consent",
            scope="openid email offline_access tickets:read",
        )  # fmt: skip
        page.goto(str(idp.http.build_request("GET", "/authorize", params=asked).url))
        page.get_by_role("button", name="Alice Anders").click()
        page.wait_for_url("**/consent?*")
        yield page
        assert complaints == []
    control.drop_client("stranger")


@pytest.mark.parametrize(
    "question_page", [{}, {"java_script_enabled": False}], ids=["usual", "no JavaScript"], indirect=True
)
def test_a_browser_gets_back_with_a_yes(question_page: Page, callback: str) -> None:
    question_page.get_by_role("button", name="Allow", exact=True).click()
    question_page.wait_for_url(f"{callback}?code=*")


def test_the_keyboard_is_enough_to_say_no(question_page: Page, callback: str) -> None:
    question_page.keyboard.press("Tab")
    question_page.keyboard.press("Tab")
    focused = question_page.locator(":focus")
    expect(focused).to_have_accessible_name("Deny")
    assert focused.evaluate("element => getComputedStyle(element).outlineStyle") == "solid"
    question_page.keyboard.press("Enter")
    question_page.wait_for_url(f"{callback}?error=access_denied*")


def test_somebody_else_can_be_chosen_instead(question_page: Page) -> None:
    question_page.get_by_role("link", name="Sign in as somebody else").click()
    question_page.get_by_role("button", name="Adam Okafor").click()
    expect(question_page.get_by_role("main")).to_contain_text("signed in as Adam Okafor")


def test_a_screen_reader_can_follow_the_question(question_page: Page) -> None:
    assert question_page.title() == "Allow access · Dress Rehearsal"
    headings = question_page.get_by_role("main").get_by_role("heading")
    assert headings.all_inner_texts() == ["Let Totally Safe <Notes> in?", "It will be able to", "About you"]
    assert question_page.get_by_role("heading", level=1).count() == 1
    assert [each.inner_text() for each in question_page.get_by_role("button").all()] == ["Allow", "Deny"]


@pytest.mark.parametrize("question_page", [{"color_scheme": "light"}, {"color_scheme": "dark"}], indirect=True)
def test_every_text_of_the_question_has_the_contrast_of_wcag_aa(question_page: Page) -> None:
    measured = contrasts(question_page)
    assert len(measured) > 12
    assert [(text, ratio) for text, ratio in measured if ratio < 4.5] == []


@pytest.mark.parametrize("question_page", [{"viewport": {"width": 320, "height": 640}}], indirect=True)
def test_the_question_fits_a_narrow_screen(question_page: Page) -> None:
    assert question_page.evaluate("document.documentElement.scrollWidth") <= 320
