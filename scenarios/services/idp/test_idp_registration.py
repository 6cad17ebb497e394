"""Dynamic client registration and its management: RFC 7591, RFC 7592."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

import httpx2 as httpx
import pytest
from starlette.testclient import TestClient

from scenarios.services.idp.conftest import ALONE, LOOPBACK, Alone, claims, refused, told
from services.idp import registration
from services.idp.app import create_app

KEY = {"kty": "EC", "crv": "P-256", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
       "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}  # fmt: skip
DEVICE = "urn:ietf:params:oauth:grant-type:device_code"


def metadata(**changes: Any) -> dict[str, Any]:
    """Those of a native application; ``...`` leaves one out."""
    usual = {
        "client_name": "An application",
        "redirect_uris": [LOOPBACK],
        "token_endpoint_auth_method": "none",
        "grant_types": ["authorization_code", "refresh_token"],
    }
    return {name: value for name, value in (usual | changes).items() if value is not ...}


def register(alone: Alone, **changes: Any) -> dict[str, Any]:
    response = alone.http.post("/register", json=metadata(**changes))
    assert response.status_code == 201, response.text
    assert response.headers["cache-control"] == "no-store"
    answer: dict[str, Any] = response.json()
    return answer


def managed(alone: Alone, answer: dict[str, Any], method: str, **request: Any) -> httpx.Response:
    bearer = {"Authorization": f"Bearer {answer['registration_access_token']}"}
    return alone.http.request(method, answer["registration_client_uri"], headers=bearer, **request)


def test_a_public_client_makes_itself_known_and_signs_somebody_in_who_agrees(alone: Alone) -> None:
    answer = register(alone)
    assert answer["client_id_issued_at"] == int(alone.seconds)
    assert answer["registration_client_uri"] == f"{ALONE.idp}/register/{answer['client_id']}"
    assert (answer["redirect_uris"], answer["response_types"]) == ([LOOPBACK], ["code"])
    assert "client_secret" not in answer
    asked = alone.asked(client_id=answer["client_id"])
    consent = alone.pick("alice", alone.authorize(asked))
    assert told(consent).keys() == {"interaction"}, "people are asked before it gets anything"
    page = alone.http.get(consent.headers["location"])
    assert "An application" in page.text


def test_a_confidential_client_gets_a_secret_that_works(alone: Alone) -> None:
    answer = register(
        alone, token_endpoint_auth_method=..., grant_types=["client_credentials"], redirect_uris=[], client_name=...
    )
    assert answer["client_secret_expires_at"] == 0
    asked = {"grant_type": "client_credentials", "resource": ALONE.ticketing}
    credentials = (answer["client_id"], quote_plus(answer["client_secret"]))
    token = alone.post("/token", asked, auth=credentials).json()["access_token"]
    assert claims(token)["sub"] == answer["client_id"]
    directory = asked | {"resource": f"{ALONE.idp}/scim/v2"}
    refused(alone.post("/token", directory, auth=credentials), 400, "invalid_target")


@pytest.mark.parametrize(
    "address",
    [
        "https://app.example/callback",
        "http://localhost:4321/callback",
        "http://127.0.0.1/callback",
        "http://[::1]:4321/callback",
        "com.example.app:/callback",
    ],
)
def test_addresses_that_only_the_client_can_have_are_registered(alone: Alone, address: str) -> None:
    assert register(alone, redirect_uris=[address])["redirect_uris"] == [address]


@pytest.mark.parametrize(
    "addresses",
    [
        ["http://app.example/callback"],
        ["https://*.example/callback"],
        ["https://app.example/callback#fragment"],
        ["https://app.example/callback#"],
        ["https://user@app.example/callback"],
        ["https:///callback"],
        ["https://app.example:0/callback"],
        ["http://localhost.evil.example/callback"],
        ["javascript:alert(1)"],
        ["data:text/html,x"],
        ["myapp:/callback"],
        ["not an address"],
        ["https://app.example/\ncallback"],
        ["http://["],
        ["/callback"],
        [""],
        ["https://app.example/" + "x" * 2000],
        [LOOPBACK] * 21,
        [7],
        "https://app.example/callback",
        [],
        ...,
    ],
)
def test_other_addresses_are_not(alone: Alone, addresses: Any) -> None:
    refused(alone.http.post("/register", json=metadata(redirect_uris=addresses)), 400, "invalid_redirect_uri")


@pytest.mark.parametrize(
    "changes",
    [
        {"grant_types": ["password"]},
        {"grant_types": ["urn:ietf:params:oauth:grant-type:token-exchange", "authorization_code"]},
        {"grant_types": "authorization_code"},
        {"grant_types": ["authorization_code", "client_credentials"]},
        {"response_types": ["token"]},
        {"response_types": []},
        {"token_endpoint_auth_method": "client_secret_jwt"},
        {"token_endpoint_auth_method": "private_key_jwt"},
        {"token_endpoint_auth_method": "private_key_jwt", "jwks": {"keys": []}},
        {"token_endpoint_auth_method": "private_key_jwt", "jwks": {"keys": [{"kty": "oct", "k": "c2VjcmV0"}]}},
        {"token_endpoint_auth_method": "private_key_jwt", "jwks": {"keys": "key"}},
        {"token_endpoint_auth_method": "private_key_jwt", "jwks_uri": "https://app.example/jwks"},
        {"jwks": {"keys": [KEY]}},
        {"scope": "tickets:read nonsense"},
        {"client_name": ""},
        {"client_name": "x" * 201},
        {"client_name": 7},
        {"application_type": "desktop"},
        {"dpop_bound_access_tokens": "yes"},
        {"backchannel_logout_uri": "https://app.example/logout"},
        {"backchannel_logout_uri": "file:///etc/passwd"},
    ],
)
def test_what_does_not_fit_is_refused(alone: Alone, changes: dict[str, Any]) -> None:
    before = list(alone.provider.registry.clients)
    refused(alone.http.post("/register", json=metadata(**changes)), 400, "invalid_client_metadata")
    assert list(alone.provider.registry.clients) == before


def test_a_software_statement_is_refused_by_its_name(alone: Alone) -> None:
    response = alone.http.post("/register", json=metadata(software_statement="a.b.c"))
    refused(response, 400, "invalid_software_statement")


def test_what_is_unknown_is_ignored_and_what_is_null_is_not_there(alone: Alone) -> None:
    answer = register(alone, contacts=["a@b.example"], x_of_mine={"deep": [1]}, jwks=None, client_uri=None)
    assert not answer.keys() & {"contacts", "x_of_mine", "jwks", "client_uri"}


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"{", "application/json"),
        (b"[]", "application/json"),
        (b'"text"', "application/json"),
        (b"\xff", "application/json"),
        (b'{"redirect_uris": [], "redirect_uris": []}', "application/json"),
        (b"[" * 1000, "application/json"),
        (b" " * 40_000, "application/json"),
        (json.dumps(metadata()).encode(), "text/plain"),
        (b"redirect_uris=x", "application/x-www-form-urlencoded"),
    ],
    ids=["cut", "list", "text", "binary", "twice", "nested", "long", "plain", "form"],
)
def test_a_body_that_is_no_json_object_is_refused(alone: Alone, content: bytes, kind: str) -> None:
    response = alone.http.post("/register", content=content, headers={"Content-Type": kind})
    refused(response, 400, "invalid_client_metadata")


def test_what_was_registered_can_be_read_changed_and_taken_back(alone: Alone) -> None:
    answer = register(alone)
    read = managed(alone, answer, "GET").json()
    assert read == {name: value for name, value in answer.items() if name != "registration_access_token"}
    changed = managed(alone, answer, "PUT", json=metadata(client_name="Renamed", client_id=answer["client_id"]))
    assert (changed.status_code, changed.json()["client_name"]) == (200, "Renamed")
    assert managed(alone, answer, "GET").json()["client_name"] == "Renamed"
    other = managed(alone, answer, "PUT", json=metadata(client_id="cli"))
    refused(other, 400, "invalid_client_metadata")
    assert managed(alone, answer, "DELETE").status_code == 204
    assert alone.authorize(alone.asked(client_id=answer["client_id"])).status_code == 400
    assert managed(alone, answer, "GET").status_code == 401


def test_a_client_can_begin_to_have_a_secret_and_cease_to(alone: Alone) -> None:
    answer = register(alone)
    by_secret = metadata(token_endpoint_auth_method="client_secret_post")
    secret = managed(alone, answer, "PUT", json=by_secret).json()["client_secret"]
    assert "client_secret" not in managed(alone, answer, "PUT", json=by_secret).json()
    form = {"grant_type": "refresh_token", "client_id": answer["client_id"], "refresh_token": "x"}
    refused(alone.post("/token", form | {"client_secret": secret}), 400, "invalid_grant")
    refused(alone.post("/token", form), 401, "invalid_client")
    managed(alone, answer, "PUT", json=metadata())
    refused(alone.post("/token", form), 400, "invalid_grant")


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_nobody_else_can(alone: Alone, method: str) -> None:
    answer, other = register(alone), register(alone)
    path = f"/register/{answer['client_id']}"
    anonymous = alone.http.request(method, path)
    assert (anonymous.status_code, anonymous.headers["www-authenticate"]) == (401, "Bearer")
    for place, token in (
        (path, other["registration_access_token"]),
        (path, "guess"),
        ("/register/cli", answer["registration_access_token"]),
        ("/register/nobody", answer["registration_access_token"]),
    ):
        response = alone.http.request(method, place, headers={"Authorization": f"Bearer {token}"})
        assert response.status_code == 401
        assert response.headers["www-authenticate"].startswith('Bearer error="invalid_token"')
    assert managed(alone, answer, "GET").status_code == 200


@pytest.mark.parametrize("origin", ["http://localhost:6274", "http://127.0.0.1:1", "http://[::1]:2"])
def test_a_page_on_this_machine_may_register(alone: Alone, origin: str) -> None:
    asked = {"Origin": origin, "Access-Control-Request-Method": "POST"}
    answer = alone.http.options("/register", headers=asked)
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (204, origin)


@pytest.mark.parametrize("origin", ["https://evil.example", "http://localhost.evil.example", "null", "http://["])
def test_no_other_page_may(alone: Alone, origin: str) -> None:
    asked = {"Origin": origin, "Access-Control-Request-Method": "POST"}
    answer = alone.http.options("/register", headers=asked)
    assert (answer.status_code, "access-control-allow-origin" in answer.headers) == (403, False)


def test_its_scripts_may_read_answers_afterwards(alone: Alone) -> None:
    origin = {"Origin": "https://app.example"}
    assert "access-control-allow-origin" not in alone.http.get("/jwks", headers=origin).headers
    register(alone, redirect_uris=["https://app.example/callback"])
    assert alone.http.get("/jwks", headers=origin).headers["access-control-allow-origin"] == "https://app.example"


def test_a_tenant_that_does_not_offer_it_says_so(alone: Alone) -> None:
    assert "registration_endpoint" not in alone.http.get("/t/partner/.well-known/openid-configuration").json()
    refused(alone.http.post("/t/partner/register", json=metadata()), 403, "access_denied")


def test_a_flood_takes_the_place_of_the_oldest_only(alone: Alone, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registration, "MOST", 3)
    written = len(alone.provider.registry.clients)
    answers = [register(alone) for _ in range(5)]
    assert len(alone.provider.registry.clients) == written + 3
    assert [managed(alone, answer, "GET").status_code for answer in answers] == [401, 401, 200, 200, 200]


def test_it_is_still_known_after_a_restart(
    settings: dict[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("IDP_DATABASE_URL", f"sqlite:///{tmp_path}/idp.db")
    with TestClient(create_app(), base_url=ALONE.idp) as http:
        answer = http.post("/register", json=metadata(grant_types=["authorization_code", DEVICE])).json()
    with TestClient(create_app(), base_url=ALONE.idp) as http:
        bearer = {"Authorization": f"Bearer {answer['registration_access_token']}"}
        read = http.get(answer["registration_client_uri"], headers=bearer).json()
    assert read["client_id"] == answer["client_id"]
