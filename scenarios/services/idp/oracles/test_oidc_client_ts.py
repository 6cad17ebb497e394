"""oidc-client-ts, the library of many single page applications, against the running provider."""

from __future__ import annotations

from functools import partial
from urllib.parse import parse_qs, urlsplit

import httpx
import jwt
import pytest

from scenarios.services.idp.oracles.conftest import Oracle, perform


@pytest.fixture
def oracle(javascript: None) -> Oracle:
    return partial(perform, "oidc-client-ts.mjs")


def test_it_signs_in_and_asks_userinfo(oracle: Oracle, as_ui: dict[str, str]) -> None:
    answer = oracle("sign_in", as_ui)
    assert answer["userState"] == {"page": "/tickets"}
    assert (answer["profile"]["iss"], answer["profile"]["aud"]) == (as_ui["issuer"], "ui")
    assert answer["profile"]["email"] == "alice@acme.example"
    assert jwt.decode(answer["access_token"], options={"verify_signature": False})["sub"] == answer["profile"]["sub"]


def test_it_renews(oracle: Oracle, as_ui: dict[str, str]) -> None:
    answer = oracle("refresh", as_ui)
    assert answer["before"] != answer["after"]
    assert answer["subject"].startswith("usr_")


def test_it_does_not_take_an_answer_it_never_asked_for(oracle: Oracle, as_ui: dict[str, str]) -> None:
    assert oracle("other_state", as_ui)["refused"]["message"] == "No matching state found in storage"


def test_its_sign_out_leads_back_to_the_application(
    oracle: Oracle, as_ui: dict[str, str], nobody: httpx.Client
) -> None:
    answer = nobody.get(oracle("sign_out", as_ui)["url"])
    back = urlsplit(answer.headers["location"])
    assert f"{back.scheme}://{back.netloc}{back.path}" == as_ui["post_logout_redirect_uri"]
    assert parse_qs(back.query).keys() == {"state"}
