"""Dynamic client registration and its management: RFC 7591, RFC 7592."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

import httpx2 as httpx
import pytest

from scenarios.services.idp.conftest import ALONE, LOOPBACK, Alone, Living, claims, refused, told
from services.idp import registration
from services.idp.app import create_app

KEY = {"kty": "EC", "crv": "P-256", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
       "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}  # fmt: skip
SMALL = {"kty": "RSA", "e": "AQAB", "n": "w" + "_" * 170}
"""Of 1024 bits (RFC 7518 §3.3 wants 2048)."""
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


def update(alone: Alone, answer: dict[str, Any], **changes: Any) -> httpx.Response:
    """Register something else; the client says who it is unless ``changes`` say otherwise."""
    return managed(alone, answer, "PUT", json=metadata(**{"client_id": answer["client_id"], **changes}))


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


def test_who_does_not_know_of_resources_gets_tokens_for_the_api(alone: Alone) -> None:
    answer = register(alone, token_endpoint_auth_method=..., grant_types=["client_credentials"], redirect_uris=[])
    credentials = (answer["client_id"], quote_plus(answer["client_secret"]))
    token = alone.post("/token", {"grant_type": "client_credentials"}, auth=credentials).json()["access_token"]
    assert claims(token)["aud"] == ALONE.api


def test_all_that_is_registered_is_told_whatever_was_asked_for(alone: Alone) -> None:
    """So a client that asks for few scopes may ask for more later, as MCP clients do that register once."""
    answer = register(alone, scope="tickets:read", application_type="native", client_uri="https://app.example")
    of_the_provider = {"openid", "profile", "email", "offline_access"}
    of_resources = {"tickets:read", "tickets:write", "tickets:delete", "orgs:read", "orgs:write"}
    assert set(answer["scope"].split()) == of_the_provider | of_resources
    assert (answer["application_type"], answer["dpop_bound_access_tokens"]) == ("native", False)
    assert "client_uri" not in answer


@pytest.mark.parametrize(
    "address",
    [
        "https://app.example/callback",
        "https://app.example:8443/callback?tenant=1",
        "http://localhost:4321/callback",
        "http://127.0.0.1/callback",
        "http://[::1]:4321/callback",
        "com.example.app:/callback",
        "com.example.app://callback",
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
        ["https://app.example;script-src/callback"],
        ["https://app.example,evil.example/callback"],
        ["https://app.example\\.evil.example/callback"],
        ["https://app.example'/callback"],
        ["https://ⅰnvisible.example/callback"],
        ["http://[::1%25lo]/callback"],
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
        {"grant_types": [], "redirect_uris": []},
        {"grant_types": ["refresh_token"], "redirect_uris": []},
        {"grant_types": ["authorization_code", "client_credentials"]},
        {"response_types": ["token"]},
        {"response_types": []},
        {"token_endpoint_auth_method": "client_secret_jwt"},
        {"token_endpoint_auth_method": "private_key_jwt"},
        {"token_endpoint_auth_method": "private_key_jwt", "jwks": {"keys": []}},
        {"token_endpoint_auth_method": "private_key_jwt", "jwks": {"keys": [{"kty": "oct", "k": "c2VjcmV0"}]}},
        {"token_endpoint_auth_method": "private_key_jwt", "jwks": {"keys": "key"}},
        {"token_endpoint_auth_method": "private_key_jwt", "jwks_uri": "https://app.example/jwks"},
        {"token_endpoint_auth_method": "private_key_jwt", "jwks": {"keys": [KEY, {"kty": "oct", "k": "c2VjcmV0"}]}},
        {"token_endpoint_auth_method": "private_key_jwt", "jwks": {"keys": [{**KEY, "d": "AA"}]}},
        {"token_endpoint_auth_method": "private_key_jwt", "jwks": {"keys": [None]}},
        {"token_endpoint_auth_method": "private_key_jwt", "jwks": {"keys": [SMALL]}},
        {"jwks": {"keys": [KEY]}},
        {"scope": "tickets:read nonsense"},
        {"scope": "users:write"},
        {"client_name": ""},
        {"client_name": "An application\n"},
        {"client_name": "\u202enoitacilppa"},
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


def test_a_scheme_of_its_own_is_for_a_native_client(alone: Alone) -> None:
    changes = {"redirect_uris": ["com.example.app:/callback"], "application_type": "web"}
    refused(alone.http.post("/register", json=metadata(**changes)), 400, "invalid_redirect_uri")


def test_the_login_page_may_lead_back_to_such_a_scheme(alone: Alone) -> None:
    """Chromium holds ``form-action`` against every redirect of a form."""
    answer = register(alone, redirect_uris=["com.example.app:/callback"])
    asked = alone.asked(client_id=answer["client_id"], redirect_uri="com.example.app:/callback")
    page = alone.http.get(alone.authorize(asked).headers["location"])
    assert "form-action 'self' com.example.app:;" in f"{page.headers['content-security-policy']};"


@pytest.mark.parametrize("registered", ["http://127.0.0.1/callback", "http://127.0.0.1:4000/callback"])
def test_a_native_client_may_be_answered_on_any_port_of_the_loopback_address(alone: Alone, registered: str) -> None:
    """RFC 8252 §7.3. It is registered with the port of one run, and comes back with that of another."""
    answer = register(alone, redirect_uris=[registered, "http://localhost:4000/callback"])

    def status(redirect_uri: str) -> int:
        return alone.authorize(alone.asked(client_id=answer["client_id"], redirect_uri=redirect_uri)).status_code

    assert status("http://127.0.0.1:5000/callback") == 303
    for other in ("http://[::1]:5000/callback", "http://127.0.0.1:5000/other", "http://localhost:5000/callback"):
        assert status(other) == 400


def test_a_web_client_is_answered_on_its_port_only(alone: Alone) -> None:
    answer = register(alone, application_type="web")
    asked = alone.asked(client_id=answer["client_id"], redirect_uri="http://127.0.0.1:5000/callback")
    assert alone.authorize(asked).status_code == 400


@pytest.mark.parametrize("statement", ["a.b.c", "", 7])
def test_a_software_statement_is_refused_by_its_name(alone: Alone, statement: object) -> None:
    response = alone.http.post("/register", json=metadata(software_statement=statement))
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
    read = managed(alone, answer, "GET")
    assert (read.json(), read.headers["cache-control"]) == (answer, "no-store")
    changed = update(alone, answer, client_name="Renamed")
    assert (changed.status_code, changed.json()["client_name"]) == (200, "Renamed")
    assert managed(alone, answer, "GET").json() == changed.json()
    assert managed(alone, answer, "DELETE").status_code == 204
    assert alone.authorize(alone.asked(client_id=answer["client_id"])).status_code == 400
    assert managed(alone, answer, "GET").status_code == 401


@pytest.mark.parametrize(
    "changes",
    [
        {"client_id": "cli"},
        {"client_id": ...},
        {"client_id": None},
        {"client_id": 7},
        {"client_secret": "made-up"},
        {"client_secret": 7},
        {"registration_access_token": "mine"},
        {"registration_client_uri": "https://evil.example"},
        {"client_secret_expires_at": 0},
        {"client_id_issued_at": 0},
        {"redirect_uris": [LOOPBACK], "grant_types": ["password"]},
    ],
)
def test_what_the_client_was_given_is_not_for_it_to_change(alone: Alone, changes: dict[str, Any]) -> None:
    answer = register(alone)
    refused(update(alone, answer, **changes), 400, "invalid_client_metadata")
    assert managed(alone, answer, "GET").json() == answer


def test_what_was_granted_goes_with_the_registration(alone: Alone) -> None:
    answer = register(alone)
    consent = told(alone.pick("alice", alone.authorize(alone.asked(client_id=answer["client_id"]))))
    code = told(alone.http.post("/consent", data={"interaction": consent["interaction"], "answer": "allow"}))["code"]
    token = alone.redeem(code, client_id=answer["client_id"]).json()["access_token"]
    other = alone.tokens()["access_token"]
    assert alone.userinfo(token).status_code == 200
    assert managed(alone, answer, "DELETE").status_code == 204
    assert [alone.userinfo(each).status_code for each in (token, other)] == [401, 200]


def test_a_client_can_begin_to_have_a_secret_and_cease_to(alone: Alone) -> None:
    answer = register(alone)
    secret = update(alone, answer, token_endpoint_auth_method="client_secret_post").json()["client_secret"]
    again = update(alone, answer, token_endpoint_auth_method="client_secret_post", client_secret=secret)
    assert (again.status_code, "client_secret" in again.json()) == (200, False)
    form = {"grant_type": "refresh_token", "client_id": answer["client_id"], "refresh_token": "x"}
    refused(alone.post("/token", form | {"client_secret": secret}), 400, "invalid_grant")
    refused(alone.post("/token", form), 401, "invalid_client")
    assert update(alone, answer).status_code == 200
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


def test_its_scripts_may_read_answers_afterwards(alone: Alone) -> None:
    origin = {"Origin": "https://app.example"}
    assert "access-control-allow-origin" not in alone.http.get("/jwks", headers=origin).headers
    register(alone, redirect_uris=["https://app.example/callback"])
    assert alone.http.get("/jwks", headers=origin).headers["access-control-allow-origin"] == "https://app.example"


def test_an_origin_is_what_browsers_say_it_is(alone: Alone) -> None:
    register(alone, redirect_uris=["https://App.Example:443/callback", "http://[::1]:80/callback"])
    for origin in ("https://app.example", "http://[::1]"):
        assert "access-control-allow-origin" in alone.http.get("/jwks", headers={"Origin": origin}).headers


def test_a_tenant_that_does_not_offer_it_says_so(alone: Alone) -> None:
    assert "registration_endpoint" not in alone.http.get("/t/partner/.well-known/openid-configuration").json()
    refused(alone.http.post("/t/partner/register", json=metadata()), 403, "access_denied")


def test_a_flood_takes_the_place_of_the_oldest_only(alone: Alone, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registration, "MOST", 3)
    written = len(alone.provider.registry.clients)
    answers = [register(alone) for _ in range(5)]
    assert len(alone.provider.registry.clients) == written + 3
    assert [managed(alone, answer, "GET").status_code for answer in answers] == [401, 401, 200, 200, 200]


def test_who_gave_way_leaves_nothing_behind(living: Living, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A note for each of them would fill the file instead."""
    monkeypatch.setenv("IDP_DATABASE_URL", f"sqlite:///{tmp_path}/idp.db")
    monkeypatch.setattr(registration, "MOST", 1)
    with living(create_app()) as alone:
        for _ in range(3):
            assert alone.http.post("/register", json=metadata()).status_code == 201
    with sqlite3.connect(tmp_path / "idp.db") as database:
        assert database.execute("SELECT count(*) FROM records WHERE shelf = 'clients'").fetchone() == (1,)


def test_it_is_still_known_after_a_restart(living: Living, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("IDP_DATABASE_URL", f"sqlite:///{tmp_path}/idp.db")
    with living(create_app()) as alone:
        answer = alone.http.post("/register", json=metadata(grant_types=["authorization_code", DEVICE])).json()
    with living(create_app()) as alone:
        bearer = {"Authorization": f"Bearer {answer['registration_access_token']}"}
        read = alone.http.get(answer["registration_client_uri"], headers=bearer).json()
    assert read["client_id"] == answer["client_id"]
