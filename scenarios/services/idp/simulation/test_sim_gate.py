"""The simulation API is for whoever knows the secret of the run, and for no page a developer happens to open."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from scenarios.services.idp.conftest import Alone, Ask, Living


def test_whoever_knows_the_secret_is_let_in(ask: Ask) -> None:
    assert ask("GET", "/keys").status_code == 200


@pytest.mark.parametrize("authorization", [None, "Bearer wrong", "Bearer ", "Basic c2VjcmV0", "Bearer é"])
def test_nobody_else_is(alone: Alone, authorization: str | None) -> None:
    headers = {} if authorization is None else {b"Authorization": authorization.encode()}
    response = alone.http.get("/_sim/keys", headers=headers)
    assert (response.status_code, response.headers["www-authenticate"]) == (401, "Bearer")
    assert response.json()["error"] == "unauthorized"


@pytest.mark.parametrize("header", [{"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "none"}])
def test_a_page_in_a_browser_is_refused_even_with_the_secret(
    alone: Alone, settings: Mapping[str, str], header: Mapping[str, str]
) -> None:
    bearer = {"Authorization": f"Bearer {settings['SIMULATION_SECRET']}"}
    response = alone.http.post("/_sim/keys/rotate", json={}, headers={**bearer, **header})
    assert response.status_code == 403
    assert not [name for name in response.headers if name.startswith("access-control")]


def test_its_own_web_interface_gets_no_cors_either(alone: Alone) -> None:
    asked = {"Origin": alone.at.ui, "Access-Control-Request-Method": "POST"}
    response = alone.http.options("/_sim/mint", headers=asked)
    assert response.status_code == 403
    assert not [name for name in response.headers if name.startswith("access-control")]


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "192.168.0.1", "[", ""])
def test_a_name_that_was_rebound_to_this_machine_is_refused(
    alone: Alone, settings: Mapping[str, str], host: str
) -> None:
    headers = {"Authorization": f"Bearer {settings['SIMULATION_SECRET']}", "Host": host}
    assert alone.http.get("/_sim/keys", headers=headers).status_code == 421


def test_without_a_secret_there_is_no_such_api(living: Living, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SIMULATION_SECRET")
    with living() as alone:
        assert alone.http.get("/_sim/keys", headers={"Authorization": "Bearer "}).status_code == 404


def test_it_is_in_no_description(alone: Alone) -> None:
    document = alone.http.get("/openapi.json").json()
    assert document["paths"]
    assert not [path for path in document["paths"] if "_sim" in path]


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/mint", {"recipe": "no-such"}, 404),
        ("POST", "/mint", {"user": "nobody"}, 404),
        ("POST", "/mint", {"audience": "nowhere"}, 404),
        ("POST", "/mint", {"sign_with": "magic"}, 404),
        ("POST", "/mint", {"sign_with": "tenant:nobody"}, 404),
        ("POST", "/mint", {"sign_with": "hmac-magic"}, 404),
        ("POST", "/mint", {"tamper": "gently"}, 400),
        ("POST", "/mint", {"ttl": "long"}, 400),
        ("POST", "/mint", {"unknown": 1}, 400),
        ("POST", "/mint", [], 400),
        ("POST", "/keys", {"algorithm": "HS256"}, 400),
        ("POST", "/keys/no-such/activate", {}, 404),
        ("PUT", "/quirks/no-such", {}, 404),
        ("DELETE", "/quirks/no-such", None, 404),
        ("PUT", "/quirks/iss-wrong", {"times": 0}, 400),
        ("POST", "/session", {"user": "nobody"}, 404),
        ("POST", "/sign-ins", {"sign_ins": [{"user": "nobody"}]}, 404),
        ("POST", "/sign-ins", {"sign_ins": [{"user": "alice", "error": "access_denied"}]}, 400),
        ("POST", "/sign-ins", {"sign_ins": [{}]}, 400),
        ("PUT", "/users/alice", {"claims": {"sub": "usr_other"}}, 400),
        ("PUT", "/users/alice", {"nickname": "Al"}, 400),
        ("DELETE", "/users/nobody", None, 404),
        ("PUT", "/clients/new", {"auth_method": "client_secret_basic"}, 400),
        ("PUT", "/clients/new", {"secret": 5}, 400),
        ("PUT", "/clients/new", {"secret": ""}, 400),
        ("PUT", "/clients/new", {"unknown": 5}, 400),
        ("DELETE", "/clients/nobody", None, 404),
        ("DELETE", "/resources?uri=http://nowhere", None, 404),
        ("PUT", "/tenants/Not Fit", {"resources": {}, "scopes": {}, "clients": {}}, 400),
        ("PUT", "/tenants/partner", {"resources": {}, "scopes": {}, "clients": {}}, 400),
        ("PUT", "/tenants/new", {"resources": {}, "scopes": {}, "clients": {"a": {"resources": ["x"]}}}, 400),
        ("GET", "/requests?count=many", None, 400),
    ],
)
def test_what_is_wrong_is_said_and_changes_nothing(ask: Ask, method: str, path: str, body: object, status: int) -> None:
    before = [ask("GET", listed).json() for listed in ("/keys", "/users", "/clients", "/resources", "/sign-ins")]
    response = ask(method, path, body)
    assert response.status_code == status, response.text
    assert response.json().keys() == {"error", "error_description"}
    assert response.json()["error_description"]
    after = [ask("GET", listed).json() for listed in ("/keys", "/users", "/clients", "/resources", "/sign-ins")]
    assert after == before


def test_a_secret_that_is_given_is_never_told_again(ask: Ask) -> None:
    told = ask("PUT", "/clients/robot", {"secret": "very-secret-words", "grants": ["client_credentials"]})
    assert told.status_code == 200
    refused = ask("PUT", "/clients/robot", {"secret": "other-secret-words", "native": "perhaps"})
    listed = ask("GET", "/clients")
    for response in (told, refused, listed):
        assert "secret-words" not in response.text
        assert "digest" not in response.text
