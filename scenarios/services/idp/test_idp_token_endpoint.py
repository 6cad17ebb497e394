"""The token endpoint before any grant: RFC 6749 §2.3 and §3.2, client authentication and the form of a request."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING
from urllib.parse import quote_plus, urlencode

import pytest

from scenarios.services.idp.conftest import VERIFIER, Alone, Client, refused

if TYPE_CHECKING:
    from harness.stack import Stack

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def basic(client_id: str, secret: str) -> dict[str, str]:
    joined = f"{quote_plus(client_id)}:{quote_plus(secret)}"
    return {"Authorization": f"Basic {base64.b64encode(joined.encode()).decode()}"}


@pytest.mark.parametrize(
    "headers",
    [
        basic("api", "wrong"),
        basic("api", ""),
        basic("nobody", "secret"),
        basic("ui", ""),
        {"Authorization": "Basic not-base64"},
        {"Authorization": "Basic /w=="},
        {"Authorization": "Bearer token"},
    ],
    ids=["wrong", "empty", "unknown", "public", "no base64", "no text", "another scheme"],
)
def test_a_client_that_does_not_prove_itself_is_refused(idp: Client, headers: dict[str, str]) -> None:
    response = idp.post("/token", {"grant_type": "refresh_token"}, headers=headers)
    refused(response, 401, "invalid_client")
    assert response.headers["www-authenticate"].startswith("Basic realm=")


@pytest.mark.parametrize(
    "form",
    [{}, {"client_id": "nobody"}, {"client_id": "api"}, {"client_id": "api", "client_secret": "whatever"}],
    ids=["nobody", "unknown", "without secret", "by form"],
)
def test_who_must_authenticate_does_so_by_header(idp: Client, form: dict[str, str]) -> None:
    refused(idp.post("/token", {"grant_type": "refresh_token", **form}), 401, "invalid_client")


def test_a_secret_with_odd_characters_is_form_encoded_first(alone: Alone) -> None:
    response = alone.post("/token", {}, headers=FORM | basic("api", alone.api_secret))
    assert refused(response, 400, "invalid_request") == "grant_type is missing"


def test_one_way_to_authenticate_is_enough(alone: Alone) -> None:
    form = {"grant_type": "refresh_token", "client_secret": alone.api_secret}
    refused(alone.post("/token", form, headers=basic("api", alone.api_secret)), 400, "invalid_request")
    other_name = {"grant_type": "refresh_token", "client_id": "ui"}
    refused(alone.post("/token", other_name, headers=basic("api", alone.api_secret)), 400, "invalid_request")


@pytest.mark.parametrize(
    ("grant_type", "error"),
    [
        (None, "invalid_request"),
        ("password", "unsupported_grant_type"),
        ("client_credentials", "unauthorized_client"),
        ("urn:ietf:params:oauth:grant-type:token-exchange", "unauthorized_client"),
    ],
)
def test_the_grant_must_exist_and_be_allowed(idp: Client, grant_type: str | None, error: str) -> None:
    refused(idp.post("/token", {"client_id": "ui", "grant_type": grant_type}), 400, error)


def test_the_confidential_client_has_one_grant(alone: Alone) -> None:
    form = {"grant_type": "authorization_code", "code": "x"}
    refused(alone.post("/token", form, headers=basic("api", alone.api_secret)), 400, "unauthorized_client")


@pytest.mark.parametrize("name", ["grant_type", "client_id", "code", "redirect_uri", "code_verifier", "unknown"])
def test_a_repeated_parameter_is_refused_and_costs_nothing(idp: Client, name: str) -> None:
    code = idp.sign_in()["code"]
    form = {
        "grant_type": "authorization_code",
        "client_id": "cli",
        "code": code,
        "redirect_uri": idp.asked()["redirect_uri"],
        "code_verifier": VERIFIER,
        "unknown": "1",
    }
    body = urlencode([*form.items(), (name, form[name])])
    refused(idp.http.post("/token", content=body, headers=FORM), 400, "invalid_request")
    assert idp.redeem(code).status_code == 200


def test_an_empty_parameter_is_as_good_as_none(idp: Client) -> None:
    code = idp.sign_in()["code"]
    assert idp.redeem(code, resource="").status_code == 200


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b'{"grant_type": "authorization_code"}', {"Content-Type": "application/json"}),
        (b"grant_type=authorization_code", {}),
        (b"grant_type=%ff%fe", FORM),
        (b"grant_type=\xff", FORM),
        (b"grant_type=a%00b", FORM),
        (b"x=" + b"y" * 40_000, FORM),
        (b"&".join(b"p%d=1" % number for number in range(200)), FORM),
    ],
    ids=["JSON", "no type", "bad percent", "raw byte", "NUL", "too long", "too many"],
)
def test_a_body_that_is_no_form_is_refused(idp: Client, body: bytes, headers: dict[str, str]) -> None:
    refused(idp.http.post("/token", content=body, headers=headers), 400, "invalid_request")


def test_parameters_in_the_query_count_for_nothing(idp: Client) -> None:
    response = idp.http.post("/token?client_id=cli&grant_type=refresh_token", content=b"", headers=FORM)
    refused(response, 401, "invalid_client")


def test_there_is_nothing_to_get(idp: Client) -> None:
    assert idp.http.get("/token").status_code == 405


def test_no_secret_reaches_the_log(shared_stack: Stack, idp: Client) -> None:
    answer = idp.tokens()
    idp.refresh(answer["refresh_token"])
    idp.userinfo(answer["access_token"])
    log = shared_stack.log("idp")
    assert [name for name in ("access_token", "refresh_token", "id_token") if answer[name] in log] == []
