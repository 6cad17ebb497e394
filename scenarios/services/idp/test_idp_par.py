"""Pushed authorization requests: RFC 9126."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote_plus

import httpx2 as httpx
import pytest

from scenarios.services.idp.conftest import LOOPBACK, Alone, claims, refused, told


def push(alone: Alone, /, **changes: str | None) -> httpx.Response:
    return alone.post("/par", alone.asked(**changes))


def pushed(alone: Alone, /, **changes: str | None) -> dict[str, str]:
    """What the browser brings afterwards."""
    response = push(alone, **changes)
    assert response.status_code == 201, response.text
    return {"client_id": "cli", "request_uri": response.json()["request_uri"]}


def test_a_request_is_pushed_named_and_answered(alone: Alone) -> None:
    response = push(alone)
    assert response.status_code == 201
    assert response.headers["cache-control"] == "no-store"
    answer = response.json()
    assert answer.keys() == {"request_uri", "expires_in"}
    assert answer["expires_in"] == 90
    assert answer["request_uri"].startswith("urn:ietf:params:oauth:request_uri:")
    begun = alone.authorize({"client_id": "cli", "request_uri": answer["request_uri"]})
    ended = told(alone.pick("alice", begun))
    assert (ended["state"], ended["iss"]) == ("the state", alone.at.idp)
    assert claims(alone.redeem(ended["code"]).json()["access_token"])["aud"] == alone.at.api


def test_what_the_browser_adds_does_not_count(alone: Alone) -> None:
    asked = pushed(alone, scope="openid tickets:read", state="pushed")
    begun = alone.authorize(
        {**asked, "scope": "tickets:write", "state": "added", "redirect_uri": "http://evil.example"}
    )
    ended = alone.pick("alice", begun)
    assert ended.headers["location"].startswith(f"{LOOPBACK}?")
    assert told(ended)["state"] == "pushed"
    assert claims(alone.redeem(told(ended)["code"]).json()["access_token"])["scope"] == "openid tickets:read"


def test_it_is_good_once_for_its_client_and_for_a_while(alone: Alone) -> None:
    used, foreign, late = pushed(alone), pushed(alone), pushed(alone)
    assert alone.authorize(used).status_code == 303
    alone.seconds += 89
    assert alone.authorize(foreign | {"client_id": "ui"}).status_code == 400
    alone.seconds += 1
    for asked in (used, foreign, late, {"client_id": "cli", "request_uri": "urn:ietf:params:oauth:request_uri:x"}):
        response = alone.authorize(asked)
        assert (response.status_code, "location" in response.headers) == (400, False)
        assert "This sign-in link is over" in response.text


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"redirect_uri": "http://evil.example/callback"}, "invalid_request"),
        ({"redirect_uri": None}, "invalid_request"),
        ({"response_type": None}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"scope": "nonsense"}, "invalid_scope"),
        ({"resource": "http://elsewhere.example"}, "invalid_target"),
        ({"prompt": "none login"}, "invalid_request"),
        ({"max_age": "-1"}, "invalid_request"),
        ({"request": "a.b.c"}, "request_not_supported"),
        ({"request_uri": "urn:ietf:params:oauth:request_uri:x"}, "invalid_request"),
        ({"dpop_jkt": "short"}, "invalid_request"),
        ({"id_token_hint": "a.b.c"}, "invalid_request"),
    ],
)
def test_what_is_wrong_is_told_at_once(alone: Alone, changes: dict[str, str | None], error: str) -> None:
    refused(push(alone, **changes), 400, error)


def test_what_is_too_much_has_a_status_of_its_own(alone: Alone) -> None:
    """RFC 9126 §2.3."""
    refused(push(alone, state="x" * 40_000), 413, "invalid_request")
    assert alone.http.get("/par").status_code == 405


def test_the_client_proves_itself_as_at_the_token_endpoint(alone: Alone) -> None:
    refused(push(alone, client_id="nobody"), 401, "invalid_client")
    refused(alone.post("/par", alone.asked(client_id="api")), 401, "invalid_client")
    other = ("api", quote_plus(alone.api_secret))
    refused(alone.post("/par", alone.asked(), auth=other), 400, "invalid_request")
    refused(alone.http.post("/par", params=alone.asked()), 400, "invalid_request")


def test_a_client_that_must_push_is_held_to_it(alone: Alone) -> None:
    clients = alone.provider.registry.clients
    clients.put("cli", clients["cli"].model_copy(update={"pushes": True}))
    answer = told(alone.authorize(alone.asked()))
    assert (answer["error"], answer["iss"]) == ("invalid_request", alone.at.idp)
    assert "interaction" in told(alone.authorize(pushed(alone)))


def test_another_request_uri_is_not_fetched(alone: Alone) -> None:
    answer = told(alone.authorize(alone.asked(request_uri="http://127.0.0.1:9/request")))
    assert answer["error"] == "request_uri_not_supported"


def test_the_metadata_say_so(alone: Alone) -> None:
    metadata: dict[str, Any] = alone.http.get("/.well-known/oauth-authorization-server").json()
    assert metadata["pushed_authorization_request_endpoint"] == f"{alone.at.idp}/par"
    assert metadata["require_pushed_authorization_requests"] is False
