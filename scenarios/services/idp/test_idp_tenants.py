"""Several issuers in one service: each with people, clients, keys and sessions of its own (RFC 8414, RFC 9700 §4.4)."""

from __future__ import annotations

import re
from dataclasses import replace
from urllib.parse import urljoin, urlsplit

import jwt
import pytest

from scenarios.services.idp import inside
from scenarios.services.idp.conftest import ALONE, Alone, claims, refused, told

PARTNER = f"{ALONE.idp}/t/partner"


@pytest.fixture
def partner(alone: Alone) -> Alone:
    """The other issuer of the same service, as a browser and client of its own see it."""
    http = inside.client(alone.app, alone.portal, base_url=PARTNER)
    return replace(alone, http=http, at=replace(ALONE, idp=PARTNER))


@pytest.mark.parametrize(
    "path",
    [
        "/t/partner/.well-known/openid-configuration",
        "/t/partner/.well-known/oauth-authorization-server",
        "/.well-known/openid-configuration/t/partner",
        "/.well-known/oauth-authorization-server/t/partner",
    ],
)
def test_its_metadata_is_where_openid_and_rfc_8414_look_for_it(alone: Alone, path: str) -> None:
    metadata = alone.http.get(path).json()
    assert metadata["issuer"] == PARTNER
    assert metadata["id_token_signing_alg_values_supported"] == ["ES256"]
    places = [value for name, value in metadata.items() if name.endswith(("_endpoint", "_uri"))]
    assert places
    assert [place for place in places if not place.startswith(f"{PARTNER}/")] == []


def test_a_sign_in_stays_with_its_issuer_from_page_to_token(partner: Alone) -> None:
    answer = partner.sign_in("petra", partner.asked(scope="openid tickets:read"))
    assert answer["iss"] == PARTNER
    tokens = partner.redeem(answer["code"]).json()
    assert (claims(tokens["access_token"])["iss"], claims(tokens["access_token"])["sub"]) == (
        PARTNER,
        "usr_partner_petra",
    )
    (key,) = partner.http.get("/jwks").json()["keys"]
    jwt.decode(tokens["id_token"], jwt.PyJWK(key), algorithms=["ES256"], audience="cli", options={"verify_iat": False})


def test_its_page_knows_its_own_people_and_posts_to_itself(partner: Alone) -> None:
    begun = partner.authorize(partner.asked(scope="openid tickets:read"))
    page = partner.http.get(begun.headers["location"])
    assert "Petra Partner" in page.text
    assert "Alice" not in page.text
    actions = re.findall(r'action="([^"]*)"', page.text)
    assert {urljoin(begun.headers["location"], action) for action in actions} == {f"{PARTNER}/login"}


def test_somebody_signed_in_at_one_is_a_stranger_at_the_other(alone: Alone, partner: Alone) -> None:
    alone.sign_in()
    partner.has_cookies(dict(alone.http.cookies))
    assert told(partner.authorize(partner.asked(scope="openid", prompt="none")))["error"] == "login_required"


def test_codes_and_tokens_of_one_are_nothing_to_the_other(alone: Alone, partner: Alone) -> None:
    code = partner.sign_in("petra", partner.asked(scope="openid offline_access tickets:read"))["code"]
    refused(alone.redeem(code), 400, "invalid_grant")
    tokens = partner.redeem(code).json()
    refused(alone.refresh(tokens["refresh_token"]), 400, "invalid_grant")
    assert alone.userinfo(tokens["access_token"]).status_code == 401
    assert partner.userinfo(alone.tokens()["access_token"]).status_code == 401
    alone.revoke(tokens["refresh_token"])
    assert partner.userinfo(tokens["access_token"]).status_code == 200


def test_the_other_issuers_token_cannot_be_exchanged(alone: Alone, partner: Alone) -> None:
    code = partner.sign_in("petra", partner.asked(scope="openid tickets:read"))["code"]
    refused(alone.exchange(partner.redeem(code).json()["access_token"]), 400, "invalid_request")


def test_a_client_of_one_is_unknown_to_the_other(partner: Alone) -> None:
    assert partner.authorize(partner.as_ui()).status_code == 400
    refused(partner.exchange("x"), 401, "invalid_client")


@pytest.mark.parametrize(
    "path",
    [
        "/t/nobody/jwks",
        "/t/Partner/jwks",
        "/t/partner",
        "/t/",
        "/t/partner/t/partner/jwks",
        "/t/%2e%2e/jwks",
        "/.well-known/openid-configuration/t/nobody",
    ],
)
def test_there_is_nothing_else(alone: Alone, path: str) -> None:
    assert alone.http.get(path).status_code == 404


def test_its_cookies_have_names_of_their_own(alone: Alone, partner: Alone) -> None:
    alone.sign_in()
    partner.sign_in("petra", partner.asked(scope="openid tickets:read"))
    names = {cookie.name for client in (alone, partner) for cookie in client.http.cookies.jar}
    port = urlsplit(ALONE.idp).port
    assert names == {f"idp_{port}{tenant}_{kind}" for tenant in ("", "_partner") for kind in ("session", "browser")}
