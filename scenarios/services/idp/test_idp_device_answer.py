"""What people answer for a device, in a browser that is not the device's: RFC 8628 §3.3, §5.1 and §5.4."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from scenarios.services.idp.conftest import Alone, claims, refused, told
from scenarios.services.idp.devices import Fields, back, begin, decide, enter, let_in, poll
from services.idp.device import ALPHABET
from services.idp.devices import MOST_WRONG_CODES, WRONG_CODES_S


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
