"""The login page: for people, for programs, and against those who would misuse it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import expect

from scenarios.services.idp.conftest import Alone, Client, claims, told
from scenarios.services.idp.pages import contrasts

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page


def page_of(idp: Client) -> str:
    return idp.http.get(idp.authorize(idp.asked()).headers["location"]).text


def test_everybody_is_listed_under_their_organization(idp: Client) -> None:
    text = page_of(idp)
    sections = re.findall(r"<section.*?</section>", text, re.DOTALL)
    assert ["Acme" in sections[0], "Globex" in sections[1], "Initech" in sections[2]] == [True, True, True]
    assert [section.count("<button") for section in sections] == [37, 25, 8]
    assert "Rita Sørensen" in sections[0]


def test_who_was_invited_has_left_or_is_suspended_is_not_listed_and_cannot_sign_in(idp: Client) -> None:
    text = page_of(idp)
    for username, name in {
        "ines": "Ines Almeida",
        "igor": "Igor Novak",
        "dora": "Dora Weiss",
        "ulla": "Ulla Holm",
    }.items():
        assert name not in text
        interaction = told(idp.authorize(idp.asked()))["interaction"]
        response = idp.post("/login", {"interaction": interaction, "username": username})
        assert (response.status_code, "location" in response.headers) == (400, False)
        assert f"{name} has not accepted the invitation, has left" in response.text


def listed(idp: Client, find: str) -> list[str]:
    interaction = told(idp.authorize(idp.asked()))["interaction"]
    text = idp.http.get("/login", params={"interaction": interaction, "find": find}).text
    return re.findall(r'name="username" value="([^"]*)"', text)


@pytest.mark.parametrize("find", ["sørensen", "  RITA ", "rita@acme"])
def test_somebody_is_found_by_a_part_of_name_or_address(idp: Client, find: str) -> None:
    assert listed(idp, find) == ["rita"]


def test_people_of_the_same_name_are_told_apart_by_their_organization(idp: Client) -> None:
    assert listed(idp, "Sam Carter") == ["sam", "samc"]


def test_an_organization_and_a_role_are_found_too(idp: Client) -> None:
    assert len(listed(idp, "initech")) == 8
    assert {"alice", "grace"} < set(listed(idp, "agent"))
    assert "rita" not in listed(idp, "agent")


def test_whoever_is_not_found_is_said_not_to_be(idp: Client) -> None:
    interaction = told(idp.authorize(idp.asked()))["interaction"]
    text = idp.http.get("/login", params={"interaction": interaction, "find": "<b>zaphod"}).text
    assert "Nobody like “<bdi>&lt;b&gt;zaphod</bdi>” can sign in." in text
    assert "<button" in text  # to cancel


def test_a_search_that_is_too_long_is_refused(idp: Client) -> None:
    interaction = told(idp.authorize(idp.asked()))["interaction"]
    assert idp.http.get("/login", params={"interaction": interaction, "find": "x" * 101}).status_code == 400


def test_whoever_is_hinted_at_is_not_folded_away(idp: Client) -> None:
    hinted = "amara.dvorak.acme"
    text = idp.http.get(idp.authorize(idp.asked(login_hint=hinted)).headers["location"]).text
    folded = "".join(re.findall(r"<details>.*?</details>", text, re.DOTALL))
    assert f'value="{hinted}"' in text
    assert f'value="{hinted}"' not in folded


def test_the_page_says_who_asks_and_for_what(idp: Client) -> None:
    text = idp.http.get(idp.authorize(idp.asked(scope="openid tickets:read")).headers["location"]).text
    assert "Command line" in text
    assert "Read tickets" in text
    assert "Delete tickets" not in text


@pytest.mark.parametrize("username", ["alice", "olivia", "grace", "irene"])
def test_who_is_picked_is_who_the_token_speaks_for(idp: Client, username: str) -> None:
    assert claims(idp.tokens(username)["id_token"])["preferred_username"] == username


def test_turning_back_is_told_to_the_client(idp: Client) -> None:
    interaction = told(idp.authorize(idp.asked()))["interaction"]
    answer = told(idp.post("/login", {"interaction": interaction, "cancel": "yes"}))
    assert (answer["error"], answer["state"], answer["iss"]) == ("access_denied", "the state", idp.at.idp)


@pytest.mark.parametrize("form", [{"username": "nobody"}, {}, {"username": "Alice"}, {"username": "alice' --"}])
def test_nobody_else_can_be_picked(idp: Client, form: dict[str, str]) -> None:
    interaction = told(idp.authorize(idp.asked()))["interaction"]
    response = idp.post("/login", {"interaction": interaction, **form})
    assert (response.status_code, "location" in response.headers) == (400, False)


def test_a_page_sent_by_somebody_else_cannot_be_used(idp: Client) -> None:
    interaction = told(idp.authorize(idp.asked()))["interaction"]
    idp.http.cookies.clear()
    for response in (
        idp.http.get("/login", params={"interaction": interaction}),
        idp.post("/login", {"interaction": interaction, "username": "alice"}),
    ):
        assert (response.status_code, "location" in response.headers) == (400, False)
        assert "set-cookie" not in response.headers


def person_at(text: str, name: str) -> str:
    """The button of one person."""
    buttons: list[str] = re.findall(r"<button.*?</button>", text, re.DOTALL)
    return next(button for button in buttons if name in button)


@pytest.mark.parametrize("hint", ["rita", "rita@acme.example", "Rita@Acme.Example", "sub"])
def test_a_hint_points_out_the_person_and_lets_everybody_else_be_chosen(alone: Alone, hint: str) -> None:
    rita = alone.provider.registry.user_named("rita")
    assert rita
    begun = alone.authorize(alone.asked(login_hint=rita.sub if hint == "sub" else hint))
    text = alone.http.get(begun.headers["location"]).text
    assert ("autofocus" in person_at(text, "Rita"), "suggested" in person_at(text, "Rita")) == (True, True)
    assert (text.count("autofocus"), text.count("<button")) == (1, 70 + 2)
    assert "code" in told(alone.pick("adam", begun))


@pytest.mark.parametrize("hint", ["nemo", "<script>alert(1)</script>", "x" * 2000, "grace@acme.example"])
def test_a_hint_at_nobody_is_no_hint(alone: Alone, hint: str) -> None:
    text = alone.http.get(alone.authorize(alone.asked(login_hint=hint)).headers["location"]).text
    assert ("autofocus" in text, "<script" in text, hint in text) == (False, False, False)


def test_a_hint_does_not_disturb_who_is_signed_in(alone: Alone) -> None:
    alone.sign_in("alice")
    assert "code" in told(alone.authorize(alone.asked(login_hint="rita", prompt="none")))


@pytest.mark.parametrize("prompt", ["select_account", "login"])
def test_the_page_shows_who_is_signed_in_already(alone: Alone, prompt: str) -> None:
    alone.sign_in("alice")
    text = alone.http.get(alone.authorize(alone.asked(prompt=prompt)).headers["location"]).text
    assert "signed in" in person_at(text, "Alice")
    assert text.count("· signed in") == 1


def test_a_token_of_somebody_is_a_hint_that_holds(alone: Alone) -> None:
    of_alice = alone.tokens("alice")["id_token"]
    begun = alone.authorize(alone.asked(id_token_hint=of_alice, prompt="login"))
    assert "suggested" in person_at(alone.http.get(begun.headers["location"]).text, "Alice")
    before = dict(alone.http.cookies)
    assert told(alone.pick("adam", begun))["error"] == "login_required"
    assert dict(alone.http.cookies) == before
    assert "code" in told(alone.pick("alice", begun))


@pytest.mark.parametrize("how", ["before the page", "while it is open"])
def test_who_is_inactive_is_not_offered_and_not_let_in(alone: Alone, how: str) -> None:
    begun = alone.authorize(alone.asked())
    rita = alone.provider.registry.user_named("rita")
    assert rita
    alone.provider.registry.users.put(rita.sub, rita.model_copy(update={"active": False}))
    if how == "before the page":
        begun = alone.authorize(alone.asked(login_hint="rita"))
        assert "Rita" not in alone.http.get(begun.headers["location"]).text
    assert alone.pick("rita", begun).status_code == 400


def test_a_tenant_says_whose_page_it_is(alone: Alone) -> None:
    asked = alone.asked(scope="openid tickets:read")
    text = alone.http.get(alone.http.get("/t/partner/authorize", params=asked).headers["location"]).text
    header = text.partition("<header")[2].partition("</header>")[0]
    assert "partner" in header
    assert "partner" not in page_of(alone)


def test_a_page_is_one_small_request(alone: Alone) -> None:
    response = alone.http.get(alone.authorize(alone.asked()).headers["location"])
    assert len(response.content) < 26_000
    assert re.findall(r"""(?:src|href|url)\s*[=(]""", response.text) == []


@pytest.mark.parametrize("query", ["", "interaction=", "interaction=made-up", "interaction=a&interaction=b"])
def test_a_page_that_nothing_led_to_says_so(idp: Client, query: str) -> None:
    response = idp.http.get(f"/login?{query}")
    assert (response.status_code, "Nothing to sign in to" in response.text) == (400, True)


def test_a_page_left_open_expires(alone: Alone) -> None:
    begun = alone.authorize(alone.asked())
    alone.seconds += 600
    assert alone.pick("alice", begun).status_code == 400


def test_two_pages_in_one_browser_do_not_disturb_each_other(idp: Client) -> None:
    first, second = idp.authorize(idp.asked(state="1")), idp.authorize(idp.asked(state="2"))
    assert told(idp.pick("alice", first))["state"] == "1"
    assert told(idp.pick("adam", second))["state"] == "2"


def test_cookies_are_hidden_from_scripts_and_from_other_ports(idp: Client) -> None:
    begun = idp.authorize(idp.asked())
    port = idp.at.idp.rpartition(":")[2]
    for response in (begun, idp.pick("alice", begun)):
        cookie = response.headers["set-cookie"]
        assert port in cookie.partition("=")[0]
        assert {"HttpOnly", "SameSite=lax", "Path=/"} <= set(cookie.split("; "))
        assert "Max-Age" not in cookie


@pytest.mark.parametrize("username", ["alice", "adam"])
def test_every_sign_in_has_a_cookie_of_its_own_and_every_person_a_session(idp: Client, username: str) -> None:
    before = claims(idp.tokens("alice")["id_token"])["sid"]
    old = dict(idp.http.cookies)
    assert (claims(idp.tokens(username)["id_token"])["sid"] == before) == (username == "alice")
    assert "code" in told(idp.authorize(idp.asked(prompt="none")))
    idp.has_cookies(old)
    assert told(idp.authorize(idp.asked(prompt="none")))["error"] == "login_required"


@pytest.mark.parametrize("path", ["page", "/login", "/authorize", "/logout?post_logout_redirect_uri=x"])
def test_pages_run_no_script_are_not_framed_and_not_kept(idp: Client, path: str) -> None:
    where = idp.authorize(idp.asked()).headers["location"] if path == "page" else path
    response = idp.http.get(where)
    policy = dict(part.split(" ", 1) for part in response.headers["content-security-policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["frame-ancestors"] == "'none'"
    assert policy["base-uri"] == "'none'"
    assert "script-src" not in policy
    assert "unsafe" not in response.headers["content-security-policy"]
    assert response.headers["x-frame-options"] == "DENY"
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["cache-control"] == "no-store"
    assert "<script" not in response.text


def test_what_comes_from_outside_is_escaped(idp: Client) -> None:
    response = idp.authorize(idp.asked(client_id="<script>alert(1)</script>"))
    assert (response.status_code, "<script" in response.text) == (400, False)


@pytest.fixture
def login_page(browser: Browser, idp: Client, callback: str, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A real browser at the login page; the parameter holds options of its context."""
    with browser.new_context(**getattr(request, "param", {})) as context:
        page = context.new_page()
        complaints: list[str] = []
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        asked = str(idp.http.build_request("GET", "/authorize", params=idp.asked(redirect_uri=callback)).url)
        page.goto(asked)
        yield page
        assert complaints == []


@pytest.mark.parametrize(
    "login_page", [{}, {"java_script_enabled": False}], ids=["usual", "no JavaScript"], indirect=True
)
def test_a_browser_gets_back_to_the_client(login_page: Page, callback: str) -> None:
    button = login_page.get_by_role("region", name="Acme Corporation").get_by_role("button", name="Alice Anders")
    button.click()
    login_page.wait_for_url(f"{callback}?code=*")


def test_the_keyboard_is_enough(login_page: Page, callback: str) -> None:
    focused = login_page.locator(":focus")
    for name in ("Find somebody", "Find", "Alice Anders Agent", "Adam Okafor Admin"):
        login_page.keyboard.press("Tab")
        expect(focused).to_have_accessible_name(name)
    assert focused.evaluate("element => getComputedStyle(element).outlineStyle") == "solid"
    login_page.keyboard.press("Enter")
    login_page.wait_for_url(f"{callback}?code=*")


def test_somebody_far_down_is_found_by_the_keyboard_alone(login_page: Page, callback: str) -> None:
    login_page.get_by_role("searchbox", name="Find somebody").fill("amara dvo")
    login_page.keyboard.press("Enter")
    expect(login_page.get_by_role("searchbox", name="Find somebody")).to_have_value("amara dvo")
    login_page.get_by_role("button", name="Amara Dvořák").press("Enter")
    login_page.wait_for_url(f"{callback}?code=*")


def test_who_is_folded_away_is_there_when_unfolded(login_page: Page, callback: str) -> None:
    acme = login_page.get_by_role("region", name="Acme Corporation")
    person = acme.get_by_role("button", name="Amara Dvořák")
    expect(person).to_be_hidden()
    acme.get_by_text("29 more").click()
    person.click()
    login_page.wait_for_url(f"{callback}?code=*")


def test_enter_is_enough_for_who_was_hinted_at(login_page: Page, idp: Client, callback: str) -> None:
    asked = idp.asked(redirect_uri=callback, login_hint="rita")
    login_page.goto(str(idp.http.build_request("GET", "/authorize", params=asked).url))
    expect(login_page.locator(":focus")).to_have_accessible_name("Rita Sørensen Requester · suggested")
    login_page.keyboard.press("Enter")
    login_page.wait_for_url(f"{callback}?code=*")
    code = parse_qs(urlsplit(login_page.url).query)["code"][0]
    assert claims(idp.redeem(code, redirect_uri=callback).json()["id_token"])["preferred_username"] == "rita"


def test_it_is_a_page_a_screen_reader_can_follow(login_page: Page) -> None:
    assert login_page.title() == "Sign in · Dress Rehearsal"
    assert login_page.locator("html").get_attribute("lang") == "en"
    assert login_page.get_by_role("main").get_by_role("heading", level=1).inner_text() == "Who are you today?"
    assert login_page.get_by_role("region").count() == 3
    assert login_page.get_by_role("button", name="Alice Anders Agent", exact=True).count() == 1


@pytest.mark.parametrize("login_page", [{"color_scheme": "light"}, {"color_scheme": "dark"}], indirect=True)
def test_every_text_has_the_contrast_of_wcag_aa(login_page: Page) -> None:
    login_page.get_by_text("will be allowed to do").click()
    measured = contrasts(login_page)
    assert len(measured) > 40
    assert [(text, ratio) for text, ratio in measured if ratio < 4.5] == []


@pytest.mark.parametrize("login_page", [{"viewport": {"width": 320, "height": 640}}], indirect=True)
def test_it_fits_a_narrow_screen(login_page: Page) -> None:
    assert login_page.evaluate("document.documentElement.scrollWidth") <= 320
