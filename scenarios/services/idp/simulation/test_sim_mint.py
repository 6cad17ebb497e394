"""Minting: any token for anybody, and what was asked for is what it says."""

from __future__ import annotations

import json
from typing import Any

import jwt
import pytest

from scenarios.services.idp.conftest import Alone, Ask, claims
from services.shared.base64url import decoded


def minted(ask: Ask, **asked: Any) -> str:
    response = ask("POST", "/mint", asked)
    assert response.status_code == 200, response.text
    return str(response.json()["token"])


def header(token: str) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(decoded(token.split(".", maxsplit=1)[0]))
    return told


def test_without_any_wish_it_is_a_good_token_of_the_first_person_for_the_api(ask: Ask, alone: Alone) -> None:
    token = minted(ask)
    told = claims(token)
    assert (told["aud"], told["iss"], told["client_id"]) == (alone.at.api, alone.at.idp, "cli")
    assert told["exp"] - told["iat"] == 600
    assert alone.userinfo(minted(ask, scopes=["openid"])).status_code == 200


@pytest.mark.parametrize("audience", ["ticketing", "http://localhost:44/mcp"])
def test_it_is_for_whom_and_about_whom_one_says(ask: Ask, alone: Alone, audience: str) -> None:
    told = claims(minted(ask, user="rita", client="somebody", audience=audience, scopes=["tickets:read"], ttl=5))
    user = alone.provider.registry.user_named("rita")
    assert user is not None
    assert (told["sub"], told["org_id"], told["roles"]) == (
        user.sub,
        user.memberships[0].org_id,
        [user.memberships[0].role],
    )
    assert (told["aud"], told["client_id"], told["scope"]) == (alone.at.ticketing, "somebody", "tickets:read")
    assert told["exp"] - told["iat"] == 5


def test_a_negative_lifetime_is_over(ask: Ask, alone: Alone) -> None:
    token = minted(ask, scopes=["openid"], ttl=-1)
    assert claims(token)["exp"] < alone.seconds
    assert "expired" in alone.userinfo(token).headers["www-authenticate"]


def test_a_machines_token_is_about_the_machine(ask: Ask) -> None:
    told = claims(minted(ask, machine=True, client="organizations", audience="directory"))
    assert (told["sub"], told["client_id"]) == ("organizations", "organizations")
    assert not told.keys() & {"org_id", "roles"}


def test_claims_and_header_are_what_one_says(ask: Ask) -> None:
    token = minted(ask, claims={"level": 9, "scope": 5}, header={"x": "y", "kid": "k"}, drop=["exp", "header.typ"])
    told = claims(token)
    assert (told["level"], told["scope"]) == (9, 5)
    assert "exp" not in told
    assert (header(token)["x"], header(token)["kid"]) == ("y", "k")
    assert "typ" not in header(token)


@pytest.mark.parametrize("algorithm", ["RS256", "ES256", "EdDSA"])
def test_it_is_signed_by_the_active_key_whatever_its_algorithm(ask: Ask, alone: Alone, algorithm: str) -> None:
    ask("POST", "/keys/rotate", {"algorithm": algorithm})
    token = minted(ask)
    assert header(token)["alg"] == algorithm
    key = next(key for key in alone.http.get("/jwks").json()["keys"] if key["kid"] == header(token)["kid"])
    jwt.decode(token, jwt.PyJWK(key), algorithms=[algorithm], options={"verify_aud": False, "verify_exp": False})


def test_another_tenant_can_sign(ask: Ask, alone: Alone) -> None:
    token = minted(ask, sign_with="tenant:partner")
    kids = [key["kid"] for key in alone.http.get("/t/partner/jwks").json()["keys"]]
    assert header(token)["kid"] in kids
    assert claims(token)["iss"] == alone.at.idp


def test_a_tenant_mints_its_own(ask: Ask, alone: Alone) -> None:
    told = ask("POST", "/mint", {"user": "petra", "audience": "ticketing"}, tenant="partner").json()["claims"]
    assert (told["iss"], told["sub"]) == (f"{alone.at.idp}/t/partner", "usr_partner_petra")


def test_a_key_of_ours_can_be_named(ask: Ask) -> None:
    retired = ask("GET", "/keys").json()["keys"][0]["kid"]
    ask("POST", "/keys/rotate", {})
    assert header(minted(ask, sign_with=retired))["kid"] == retired


def test_a_recipe_says_how_to_bring_the_token_along(ask: Ask) -> None:
    told = ask("POST", "/mint", {"recipe": "in-the-query"}).json()
    assert told["request"] == {"headers": [], "query": {"access_token": told["token"]}, "form": {}}
    assert told["expect"] == [{"status": 401, "error": None, "challenge": True}]
