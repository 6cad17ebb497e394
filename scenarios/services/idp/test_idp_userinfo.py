"""Userinfo (OIDC Core §5.3) and bearer tokens at it (RFC 6750)."""

from __future__ import annotations

import pytest

from scenarios.services.idp.conftest import Alone, Client, claims


@pytest.mark.parametrize(
    ("scope", "told"),
    [
        ("openid", {"sub"}),
        ("openid profile", {"sub", "name", "preferred_username", "org_id"}),
        ("openid email", {"sub", "email", "email_verified"}),
    ],
)
def test_scopes_decide_what_is_told(idp: Client, scope: str, told: set[str]) -> None:
    answer = idp.tokens("rita", scope=scope)
    response = idp.userinfo(answer["access_token"])
    assert (response.json().keys(), response.headers["cache-control"]) == (told, "no-store")
    assert response.json()["sub"] == claims(answer["id_token"])["sub"]
    assert response.json().get("name", "Rita Sørensen") == "Rita Sørensen"


def test_the_post_form_is_the_same(idp: Client) -> None:
    token = idp.tokens()["access_token"]
    response = idp.http.post("/userinfo", headers={"Authorization": f"bearer {token}"})
    assert response.json()["name"] == "Alice Anders"


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Basic YTpi"}])
def test_without_a_token_only_the_schemes_are_named(idp: Client, headers: dict[str, str]) -> None:
    response = idp.http.get("/userinfo", headers=headers)
    challenge = 'Bearer, DPoP algs="ES256 EdDSA RS256"'
    assert (response.status_code, response.headers["www-authenticate"]) == (401, challenge)


def test_a_token_in_the_query_does_not_count(idp: Client) -> None:
    token = idp.tokens()["access_token"]
    assert idp.http.get("/userinfo", params={"access_token": token}).status_code == 401


@pytest.mark.parametrize("kind", ["id_token", "refresh_token"])
def test_other_tokens_are_invalid(idp: Client, kind: str) -> None:
    response = idp.userinfo(idp.tokens()[kind])
    assert response.status_code == 401
    assert response.headers["www-authenticate"].startswith('Bearer error="invalid_token", error_description="')


def test_an_expired_token_is_invalid(alone: Alone) -> None:
    token = alone.tokens()["access_token"]
    alone.seconds += 600
    response = alone.userinfo(token)
    assert response.status_code == 401
    assert 'error="invalid_token", error_description="the token has expired"' in response.headers["www-authenticate"]


def test_a_token_without_openid_is_not_enough(idp: Client) -> None:
    response = idp.userinfo(idp.tokens(scope="tickets:read")["access_token"])
    assert (response.status_code, response.json()["error"]) == (403, "insufficient_scope")
    assert 'scope="openid"' in response.headers["www-authenticate"]


def test_two_headers_are_a_bad_request(idp: Client) -> None:
    token = idp.tokens()["access_token"]
    response = idp.http.get("/userinfo", headers=[("Authorization", f"Bearer {token}")] * 2)
    assert (response.status_code, response.json()["error"]) == (400, "invalid_request")
