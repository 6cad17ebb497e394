"""Device authorization: RFC 8628, from the code that a device shows to its token, in a browser that is another's."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qs, quote_plus, urlsplit

import httpx2 as httpx
import pytest
from starlette.testclient import TestClient

from scenarios.services.idp.conftest import ALONE, EVERYTHING, Alone, Client, alone_at, claims, refused, told
from services.idp.app import create_app
from services.idp.device import ALPHABET
from services.idp.devices import MOST_WRONG_CODES, WRONG_CODES_S
from services.idp.registry import Client as Registered

DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"


def begin(idp: Client, **changes: str | None) -> dict[str, Any]:
    """The command line asks, as if it had no browser."""
    usual = {"client_id": "cli", "scope": EVERYTHING, "resource": idp.at.api}
    response = idp.post("/device_authorization", usual | changes)
    assert response.status_code == 200, response.text
    assert response.headers["cache-control"] == "no-store"
    answer: dict[str, Any] = response.json()
    return answer


def poll(idp: Client, device_code: str, **changes: str | None) -> httpx.Response:
    usual = {"grant_type": DEVICE_CODE, "client_id": "cli", "device_code": device_code}
    return idp.post("/token", usual | changes)


class Fields(HTMLParser):
    """The hidden fields of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.values: dict[str, str] = {}
        self.feed(page)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = dict(attributes)
        if tag == "input" and given.get("type") == "hidden":
            self.values[str(given["name"])] = str(given["value"])


def enter(idp: Client, user_code: str) -> httpx.Response:
    return idp.post("/device", {"user_code": user_code})


def decide(idp: Client, question: httpx.Response, answer: str = "allow") -> httpx.Response:
    assert question.status_code == 200, question.text
    return idp.post("/device/decision", Fields(question.text).values | {"answer": answer})


def back(idp: Client, response: httpx.Response) -> httpx.Response:
    """Follow the redirect that ends the sign-in."""
    assert response.headers["location"].startswith(f"{idp.at.idp}/device/return?"), response.headers
    return idp.http.get(response.headers["location"])


def let_in(idp: Client, user_code: str, username: str = "alice") -> httpx.Response:
    """The whole way of a person, signed in or not."""
    response = decide(idp, enter(idp, user_code), "other")
    return back(idp, idp.pick(username, response))


def test_a_device_gets_two_codes(alone: Alone) -> None:
    answer = begin(alone)
    assert answer.keys() == {
        "device_code", "user_code", "verification_uri", "verification_uri_complete", "expires_in", "interval",
    }  # fmt: skip
    assert (answer["expires_in"], answer["interval"]) == (600, 5)
    assert answer["verification_uri"] == f"{alone.at.idp}/device"
    assert answer["verification_uri_complete"] == f"{alone.at.idp}/device?user_code={answer['user_code']}"
    assert re.fullmatch(f"[{ALPHABET}]{{4}}-[{ALPHABET}]{{4}}", answer["user_code"])
    assert len(answer["device_code"]) >= 43
    assert begin(alone)["user_code"] != answer["user_code"]


def test_it_waits_and_gets_tokens_when_somebody_has_signed_in_for_it(alone: Alone) -> None:
    answer = begin(alone)
    refused(poll(alone, answer["device_code"]), 400, "authorization_pending")
    assert "Your device is in" in let_in(alone, answer["user_code"], "rita").text
    response = poll(alone, answer["device_code"])
    assert response.headers["cache-control"] == "no-store"
    tokens = response.json()
    assert tokens.keys() == {
        "access_token", "token_type", "expires_in", "scope", "refresh_token", "id_token",
    }  # fmt: skip
    assert set(tokens["scope"].split()) == set(EVERYTHING.split())
    access, identity = claims(tokens["access_token"]), claims(tokens["id_token"])
    assert (access["aud"], access["client_id"]) == (alone.at.api, "cli")
    assert (identity["aud"], identity["sub"], identity["preferred_username"]) == ("cli", access["sub"], "rita")
    assert "nonce" not in identity
    assert alone.userinfo(tokens["access_token"]).json()["preferred_username"] == "rita"
    assert alone.refresh(tokens["refresh_token"]).status_code == 200


def test_a_code_is_good_once(alone: Alone) -> None:
    answer = begin(alone)
    let_in(alone, answer["user_code"])
    tokens = poll(alone, answer["device_code"]).json()
    assert refused(poll(alone, answer["device_code"]), 400, "invalid_grant") == "the device code was used before"
    assert alone.userinfo(tokens["access_token"]).status_code == 200
    assert "No device shows this code" in enter(alone, answer["user_code"]).text


def test_whoever_asks_too_often_waits_longer_each_time(alone: Alone) -> None:
    code = begin(alone)["device_code"]
    refused(poll(alone, code), 400, "authorization_pending")
    alone.seconds += 4
    assert refused(poll(alone, code), 400, "slow_down") == "10 s must lie between two requests"
    alone.seconds += 9
    assert refused(poll(alone, code), 400, "slow_down") == "15 s must lie between two requests"
    alone.seconds += 15
    refused(poll(alone, code), 400, "authorization_pending")
    alone.seconds -= 60
    refused(poll(alone, code), 400, "authorization_pending")


def test_haste_does_not_cost_a_device_its_tokens(alone: Alone) -> None:
    answer = begin(alone)
    for error in ("authorization_pending", "slow_down"):
        refused(poll(alone, answer["device_code"]), 400, error)
    let_in(alone, answer["user_code"])
    assert poll(alone, answer["device_code"]).status_code == 200


def test_a_code_ends_with_its_time(alone: Alone) -> None:
    answer = begin(alone)
    alone.seconds += 599
    question = enter(alone, answer["user_code"])
    alone.seconds += 1
    refused(poll(alone, answer["device_code"]), 400, "expired_token")
    assert (
        "No device waits here"
        in alone.post("/device/decision", Fields(question.text).values | {"answer": "allow"}).text
    )
    assert "No device shows this code" in enter(alone, answer["user_code"]).text


def test_a_token_fetched_late_lives_as_long_as_any(alone: Alone) -> None:
    answer = begin(alone, scope="openid tickets:read")
    let_in(alone, answer["user_code"])
    alone.seconds += 599
    tokens = poll(alone, answer["device_code"]).json()
    assert tokens["expires_in"] == 600
    alone.seconds += 599
    assert alone.userinfo(tokens["access_token"]).status_code == 200


def test_a_no_is_told_to_the_device(alone: Alone) -> None:
    answer = begin(alone)
    assert "Device turned away" in decide(alone, enter(alone, answer["user_code"]), "deny").text
    refused(poll(alone, answer["device_code"]), 400, "access_denied")
    alone.seconds += 700
    refused(poll(alone, answer["device_code"]), 400, "access_denied")


def test_turning_back_at_the_sign_in_is_a_no(alone: Alone) -> None:
    answer = begin(alone)
    login = decide(alone, enter(alone, answer["user_code"]))
    form = {"interaction": told(login)["interaction"], "cancel": "yes"}
    assert "Device turned away" in back(alone, alone.post("/login", form)).text
    refused(poll(alone, answer["device_code"]), 400, "access_denied")


def test_who_is_signed_in_need_not_do_it_again(alone: Alone) -> None:
    alone.tokens("olivia")
    answer = begin(alone)
    question = enter(alone, answer["user_code"])
    assert "Olivia Brandt" in question.text
    back(alone, decide(alone, question))
    tokens = poll(alone, answer["device_code"]).json()
    assert claims(tokens["id_token"])["preferred_username"] == "olivia"


def test_somebody_else_can_be_chosen(alone: Alone) -> None:
    alone.tokens("olivia")
    answer = begin(alone)
    let_in(alone, answer["user_code"], "rita")
    assert claims(poll(alone, answer["device_code"]).json()["id_token"])["preferred_username"] == "rita"


def test_an_application_that_wants_consent_is_let_in_only_with_it(alone: Alone) -> None:
    clients = alone.provider.registry.clients
    clients.put("cli", clients["cli"].model_copy(update={"consent": True}))
    for given, error in (("deny", "access_denied"), ("allow", None)):
        answer = begin(alone)
        asked = alone.pick("alice", decide(alone, enter(alone, answer["user_code"]), "other"))
        assert urlsplit(asked.headers["location"]).path == "/consent"
        back(alone, alone.answer(asked.headers["location"], given))
        response = poll(alone, answer["device_code"])
        if error:
            refused(response, 400, error)
        else:
            assert response.status_code == 200


def test_the_question_says_who_asks_for_what(alone: Alone) -> None:
    answer = begin(alone, scope="openid tickets:read")
    page = enter(alone, answer["user_code"]).text
    for text in ("Command line", alone.at.api, answer["user_code"], "Read tickets", "Know who you are"):
        assert text in page
    assert "Create and change tickets" not in page


@pytest.mark.parametrize("write", [str.lower, lambda code: code.replace("-", ""), lambda code: f" {code.lower()} "])
def test_a_code_may_be_written_in_many_ways(alone: Alone, write: Any) -> None:
    assert "Is this your device?" in enter(alone, write(begin(alone)["user_code"])).text


@pytest.mark.parametrize("code", ["", "BCDF", "BCDF-GHJA", "BCDF-GHJKL", "ÄÖÜß-ÄÖÜß", "<script>", "x" * 5000])
def test_what_cannot_be_a_code_is_told_so(alone: Alone, code: str) -> None:
    response = enter(alone, code)
    assert response.status_code == 400
    assert "A code has eight letters" in response.text
    assert "<script>" not in response.text


def test_the_link_fills_the_code_in_and_does_nothing_else(alone: Alone) -> None:
    answer = begin(alone)
    page = alone.http.get(answer["verification_uri_complete"])
    assert f'value="{answer["user_code"]}"' in page.text
    refused(poll(alone, answer["device_code"]), 400, "authorization_pending")
    hostile = alone.http.get("/device", params={"user_code": '"><script>alert(1)</script>'})
    assert "<script>" not in hostile.text


def test_codes_cannot_be_guessed(alone: Alone) -> None:
    right = begin(alone)["user_code"]
    for number in range(MOST_WRONG_CODES):
        wrong = "".join(ALPHABET[number // 20**place % 20] for place in range(8))
        assert enter(alone, wrong).status_code == 400
    response = enter(alone, right)
    assert (response.status_code, "Too many wrong codes" in response.text) == (429, True)
    alone.seconds += WRONG_CODES_S - 1
    assert enter(alone, right).status_code == 429
    alone.seconds += 1
    assert enter(alone, begin(alone)["user_code"]).status_code == 200


def test_a_question_is_answered_where_it_was_put(alone: Alone) -> None:
    answer = begin(alone)
    question = enter(alone, answer["user_code"])
    cookies = dict(alone.http.cookies)
    for other in ({}, {alone.provider.cookies.browser: "another"}):
        alone.has_cookies(other)
        for given in ("allow", "deny"):
            assert (
                "Another browser began this"
                in alone.post("/device/decision", Fields(question.text).values | {"answer": given}).text
            )
    refused(poll(alone, answer["device_code"]), 400, "authorization_pending")
    alone.has_cookies(cookies)
    login = decide(alone, question)
    returned = alone.pick("alice", login).headers["location"]
    alone.has_cookies({})
    assert "Another browser began this" in alone.http.get(returned).text
    alone.seconds += 5
    refused(poll(alone, answer["device_code"]), 400, "authorization_pending")


def test_a_form_of_another_site_lets_nothing_in(alone: Alone) -> None:
    """A browser leaves the cookies of a person who is signed in out of a form that another site posts (SameSite)."""
    alone.tokens("olivia")
    assert all(
        "samesite=lax" in cookie.lower()
        for cookie in enter(alone, begin(alone)["user_code"]).headers.get_list("set-cookie")
    )
    answer = begin(alone)
    form = {"confirmation": "made-up", "answer": "allow", "user_code": answer["user_code"]}
    assert "No device waits here" in alone.post("/device/decision", form).text
    refused(poll(alone, answer["device_code"]), 400, "authorization_pending")


def test_an_answer_counts_once(alone: Alone) -> None:
    answer = begin(alone)
    first, second = enter(alone, answer["user_code"]), enter(alone, answer["user_code"])
    decide(alone, first, "deny")
    for question in (first, second):
        assert (
            "No device waits here"
            in alone.post("/device/decision", Fields(question.text).values | {"answer": "allow"}).text
        )
    refused(poll(alone, answer["device_code"]), 400, "access_denied")


@pytest.mark.parametrize(
    "query", ["", "state=made-up&code=x", "state=a&state=b", "code=x", "state=made-up&error=access_denied"]
)
def test_a_way_back_that_nobody_goes(alone: Alone, query: str) -> None:
    assert alone.http.get(f"/device/return?{query}").status_code == 400


def test_a_code_that_is_no_good_lets_nothing_in(alone: Alone) -> None:
    answer = begin(alone)
    login = decide(alone, enter(alone, answer["user_code"]))
    returned = parse_qs(urlsplit(alone.pick("alice", login).headers["location"]).query)
    query = {"state": returned["state"][0], "code": alone.sign_in()["code"]}
    assert "This did not work" in alone.http.get("/device/return", params=query).text
    refused(poll(alone, answer["device_code"]), 400, "authorization_pending")


def test_the_code_of_the_way_back_is_of_no_use_to_the_device(alone: Alone) -> None:
    login = decide(alone, enter(alone, begin(alone)["user_code"]))
    code = told(alone.pick("alice", login))["code"]
    refused(alone.redeem(code, redirect_uri=f"{alone.at.idp}/device/return"), 400, "invalid_grant")


@pytest.mark.parametrize("form", [{}, {"answer": "allow"}, {"confirmation": "x"}, {"confirmation": "x", "answer": "y"}])
def test_broken_answers_are_pages(alone: Alone, form: dict[str, str | None]) -> None:
    response = alone.post("/device/decision", form)
    assert response.status_code == 400
    assert response.headers["content-type"].startswith("text/html")


def test_an_answer_that_is_neither_yes_nor_no(alone: Alone) -> None:
    question = enter(alone, begin(alone)["user_code"])
    response = alone.post("/device/decision", Fields(question.text).values | {"answer": "maybe"})
    assert (response.status_code, "This form is broken" in response.text) == (400, True)
    assert decide(alone, question).status_code == 303


@pytest.mark.parametrize(
    ("changes", "status", "error"),
    [
        ({"client_id": None}, 401, "invalid_client"),
        ({"client_id": "nobody"}, 401, "invalid_client"),
        ({"client_id": "api"}, 401, "invalid_client"),
        ({"client_id": "ui"}, 400, "unauthorized_client"),
        ({"scope": "unheard:of"}, 400, "invalid_scope"),
        ({"resource": None}, 400, "invalid_target"),
        ({"resource": "https://evil.example"}, 400, "invalid_target"),
    ],
)
def test_a_device_that_may_not_ask(alone: Alone, changes: dict[str, str | None], status: int, error: str) -> None:
    usual = {"client_id": "cli", "scope": EVERYTHING, "resource": alone.at.api}
    refused(alone.post("/device_authorization", usual | changes), status, error)


def test_a_device_that_authenticates_must_do_so_each_time(alone: Alone) -> None:
    client = Registered.model_validate(
        {"id": "tv", "name": "TV", "secret": "a secret", "grants": [DEVICE_CODE], "resources": [alone.at.api]}
    )
    alone.provider.registry.clients.put("tv", client)
    form = {"scope": "tickets:read", "resource": alone.at.api}
    refused(alone.post("/device_authorization", form | {"client_id": "tv"}), 401, "invalid_client")
    answer = alone.post("/device_authorization", form, auth=("tv", quote_plus("a secret"))).json()
    refused(poll(alone, answer["device_code"], client_id="tv"), 401, "invalid_client")
    let_in(alone, answer["user_code"])
    asked = {"grant_type": DEVICE_CODE, "device_code": answer["device_code"]}
    tokens = alone.post("/token", asked, auth=("tv", quote_plus("a secret"))).json()
    assert tokens.keys() == {"access_token", "token_type", "expires_in", "scope"}


def test_a_device_code_is_its_clients_and_its_tenants(alone: Alone) -> None:
    clients = alone.provider.registry.clients
    clients.put("other", clients["cli"].model_copy(update={"id": "other"}))
    answer = begin(alone)
    let_in(alone, answer["user_code"])
    refused(poll(alone, answer["device_code"], client_id="other"), 400, "invalid_grant")
    refused(poll(alone, answer["device_code"], client_id="ui"), 400, "unauthorized_client")
    partner = alone.app.state.tenants["partner"].registry.clients
    partner.put("cli", partner["cli"].model_copy(update={"grants": clients["cli"].grants}))
    form = {"grant_type": DEVICE_CODE, "client_id": "cli", "device_code": answer["device_code"]}
    refused(alone.post("/t/partner/token", form), 400, "invalid_grant")
    assert "No device shows this code" in alone.post("/t/partner/device", {"user_code": answer["user_code"]}).text
    assert poll(alone, answer["device_code"]).status_code == 200


@pytest.mark.parametrize("code", [None, "made-up", "x" * 20_000])
def test_a_device_code_that_was_never_given(alone: Alone, code: str | None) -> None:
    form = {"grant_type": DEVICE_CODE, "client_id": "cli", "device_code": code}
    refused(alone.post("/token", form), 400, "invalid_grant" if code else "invalid_request")


def test_somebody_who_left_meanwhile_lets_nothing_in(alone: Alone) -> None:
    users, answer = alone.provider.registry.users, begin(alone)
    let_in(alone, answer["user_code"])
    alice = alone.provider.registry.user_named("alice")
    assert alice is not None
    users.put(alice.sub, alice.model_copy(update={"active": False}))
    refused(poll(alone, answer["device_code"]), 400, "invalid_grant")


def test_the_whole_way_in_another_tenant(alone: Alone) -> None:
    partner = alone.app.state.tenants["partner"]
    clients = partner.registry.clients
    clients.put("cli", clients["cli"].model_copy(update={"grants": alone.provider.registry.clients["cli"].grants}))
    form = {"client_id": "cli", "scope": "openid", "resource": alone.at.api}
    answer = alone.post("/t/partner/device_authorization", form).json()
    assert answer["verification_uri"] == f"{alone.at.idp}/t/partner/device"
    question = alone.post("/t/partner/device", {"user_code": answer["user_code"]})
    login = alone.post("/t/partner/device/decision", Fields(question.text).values | {"answer": "allow"})
    picked = {"interaction": told(login)["interaction"], "username": "petra"}
    returned = alone.post("/t/partner/login", picked).headers["location"]
    assert "Your device is in" in alone.http.get(returned).text
    asked = {"grant_type": DEVICE_CODE, "client_id": "cli", "device_code": answer["device_code"]}
    assert claims(alone.post("/t/partner/token", asked).json()["access_token"])["sub"] == "usr_partner_petra"


def test_what_waits_survives_a_restart(
    settings: dict[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    monkeypatch.setenv("IDP_DATABASE_URL", f"sqlite:///{tmp_path}/idp.db")
    app, seen = create_app(), {}
    with TestClient(app, base_url=ALONE.idp, follow_redirects=False) as http:
        alone = alone_at(http, app, settings)
        waiting, granted, denied = (begin(alone) for _ in range(3))
        let_in(alone, granted["user_code"])
        decide(alone, enter(alone, denied["user_code"]), "deny")
        refused(poll(alone, waiting["device_code"]), 400, "authorization_pending")
        seen = {"waiting": waiting, "granted": granted, "denied": denied}
    with TestClient(app, base_url=ALONE.idp, follow_redirects=False) as http:
        alone = alone_at(http, app, settings)
        refused(poll(alone, seen["waiting"]["device_code"]), 400, "slow_down")
        refused(poll(alone, seen["denied"]["device_code"]), 400, "access_denied")
        assert poll(alone, seen["granted"]["device_code"]).status_code == 200
        let_in(alone, seen["waiting"]["user_code"])
        assert poll(alone, seen["waiting"]["device_code"]).status_code == 200
        alone.provider.store.forget()
        refused(poll(alone, seen["granted"]["device_code"]), 400, "invalid_grant")


def test_codes_reach_no_log(alone: Alone, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG", logger="services.idp")
    answer = begin(alone)
    let_in(alone, answer["user_code"])
    poll(alone, answer["device_code"])
    for code in (answer["device_code"], answer["user_code"], answer["user_code"].replace("-", "")):
        assert code not in "".join(
            record.getMessage() for record in caplog.records if record.name.startswith("services")
        )


def test_it_is_announced(alone: Alone) -> None:
    metadata = alone.http.get("/.well-known/openid-configuration").json()
    assert metadata["device_authorization_endpoint"] == f"{alone.at.idp}/device_authorization"
    assert DEVICE_CODE in metadata["grant_types_supported"]
