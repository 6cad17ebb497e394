"""Sign-out: OpenID Connect RP-Initiated Logout 1.0."""

from __future__ import annotations

import re

import httpx2 as httpx
import pytest

from scenarios.services.idp.conftest import Alone, Client, told


def leave(idp: Client, **changes: str | None) -> httpx.Response:
    query = {"post_logout_redirect_uri": f"{idp.at.ui}/", "state": "bye"} | changes
    return idp.http.get("/logout", params={name: value for name, value in query.items() if value is not None})


def signed_in(idp: Client) -> bool:
    return "code" in told(idp.authorize(idp.asked(prompt="none")))


def test_the_session_ends_and_the_browser_goes_back(idp: Client) -> None:
    id_token = idp.ui_tokens()["id_token"]
    assert signed_in(idp)
    response = leave(idp, id_token_hint=id_token)
    assert (response.status_code, response.headers["location"]) == (303, f"{idp.at.ui}/?state=bye")
    assert not signed_in(idp)
    assert "interaction" in told(idp.authorize(idp.as_ui()))


def test_the_cookie_is_worthless_afterwards(idp: Client) -> None:
    id_token = idp.ui_tokens()["id_token"]
    old = dict(idp.http.cookies)
    idp.has_cookies(old)
    assert signed_in(idp)
    leave(idp, id_token_hint=id_token)
    idp.has_cookies(old)
    assert not signed_in(idp)


def test_an_expired_id_token_still_proves_who_asks(alone: Alone) -> None:
    id_token = alone.ui_tokens()["id_token"]
    alone.seconds += 3600
    assert leave(alone, id_token_hint=id_token).headers["location"] == f"{alone.at.ui}/?state=bye"


def test_signing_out_twice_is_no_error(idp: Client) -> None:
    id_token = idp.ui_tokens()["id_token"]
    leave(idp, id_token_hint=id_token)
    assert leave(idp, id_token_hint=id_token).headers["location"] == f"{idp.at.ui}/?state=bye"


@pytest.mark.parametrize("uri", ["https://evil.example/", "{ui}", "{ui}/other", "{ui}/?x=1", "{ui}.evil.example/"])
def test_the_way_back_must_be_registered_exactly(idp: Client, uri: str) -> None:
    id_token = idp.ui_tokens()["id_token"]
    response = leave(idp, id_token_hint=id_token, post_logout_redirect_uri=uri.format(ui=idp.at.ui))
    assert (response.status_code, "location" in response.headers) == (400, False)
    assert signed_in(idp)


def test_without_proof_nobody_is_sent_anywhere(idp: Client) -> None:
    idp.sign_in()
    assert leave(idp).status_code == 400
    assert signed_in(idp)


@pytest.mark.parametrize("flaw", ["signature", "access token", "another client"])
def test_a_hint_that_does_not_hold_is_refused(idp: Client, flaw: str) -> None:
    answer = idp.ui_tokens()
    changes = {
        "signature": {"id_token_hint": answer["id_token"][:-8] + "AAAAAAAA"},
        "access token": {"id_token_hint": answer["access_token"]},
        "another client": {"id_token_hint": answer["id_token"], "client_id": "cli"},
    }[flaw]
    assert leave(idp, **changes).status_code == 400
    assert signed_in(idp)


def test_a_bare_link_asks_first(idp: Client) -> None:
    idp.sign_in()
    question = idp.http.get("/logout")
    assert question.status_code == 200
    assert "Sign out?" in question.text
    assert signed_in(idp)
    confirmation = re.search(r'name="confirmation" value="([^"]+)"', question.text)
    assert confirmation
    done = idp.post("/logout", {"confirmation": confirmation[1]})
    assert (done.status_code, "You are signed out" in done.text) == (200, True)
    assert not signed_in(idp)


def test_the_answer_to_the_question_cannot_be_guessed_or_put_into_a_link(idp: Client) -> None:
    idp.sign_in()
    question = idp.http.get("/logout").text
    confirmation = re.search(r'name="confirmation" value="([^"]+)"', question)
    assert confirmation
    idp.post("/logout", {"confirmation": "yes"})
    idp.http.get("/logout", params={"confirmation": confirmation[1]})
    assert signed_in(idp)


def test_the_id_token_of_somebody_else_asks_first(idp: Client) -> None:
    of_alice = idp.ui_tokens("alice")["id_token"]
    idp.sign_in("adam")
    response = leave(idp, id_token_hint=of_alice)
    assert (response.status_code, "Sign out?" in response.text) == (200, True)
    assert signed_in(idp)
