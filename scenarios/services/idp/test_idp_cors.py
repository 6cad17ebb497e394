"""Who may read answers across origins: scripts of registered clients, at the endpoints they need, without cookies."""

from __future__ import annotations

import pytest

from scenarios.services.idp.conftest import Client

BEFORE_REGISTRATION = [
    ("GET", "/.well-known/openid-configuration"),
    ("GET", "/.well-known/oauth-authorization-server"),
    ("GET", "/.well-known/oauth-authorization-server/t/partner"),
    ("GET", "/t/partner/.well-known/oauth-authorization-server"),
    ("POST", "/register"),
]
READABLE = pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/.well-known/openid-configuration"),
        ("GET", "/.well-known/oauth-authorization-server"),
        ("GET", "/jwks"),
        ("POST", "/token"),
        ("POST", "/par"),
        ("POST", "/revoke"),
        ("POST", "/device_authorization"),
        ("GET", "/userinfo"),
        ("POST", "/register"),
        ("GET", "/register/somebody"),
        ("PUT", "/register/somebody"),
        ("DELETE", "/register/somebody"),
    ],
)
PAGES = pytest.mark.parametrize("path", ["/authorize", "/login", "/logout", "/device", "/introspect", "/healthz"])


def preflight(origin: str, method: str) -> dict[str, str]:
    return {
        "Origin": origin,
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": "authorization",
    }


@READABLE
def test_the_web_interface_may_read(idp: Client, method: str, path: str) -> None:
    response = idp.http.request(method, path, headers={"Origin": idp.at.ui})
    assert response.headers["access-control-allow-origin"] == idp.at.ui
    assert "access-control-allow-credentials" not in response.headers
    assert "origin" in response.headers["vary"].lower()
    asked = idp.http.request("OPTIONS", path, headers=preflight(idp.at.ui, method))
    assert asked.status_code == 204
    assert asked.headers["access-control-allow-origin"] == idp.at.ui
    assert method in asked.headers["access-control-allow-methods"]
    assert "authorization" in asked.headers["access-control-allow-headers"].lower()


@READABLE
@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://localhost.evil.example", "http://[", "suffix"]
)
def test_nobody_else_may(idp: Client, method: str, path: str, origin: str) -> None:
    if origin == "suffix":
        origin = f"{idp.at.ui}.evil.example"
    assert unreadable(idp, method, path, origin)


@READABLE
def test_nor_may_a_page_of_this_machine_that_is_not_registered(idp: Client, method: str, path: str) -> None:
    assert unreadable(idp, method, path, "http://localhost:6274") != ((method, path) in BEFORE_REGISTRATION)


def unreadable(idp: Client, method: str, path: str, origin: str) -> bool:
    answers = [
        idp.http.request(method, path, headers={"Origin": origin}),
        idp.http.request("OPTIONS", path, headers=preflight(origin, method)),
    ]
    assert all("origin" in answer.headers["vary"].lower() for answer in answers)
    return not [name for answer in answers for name in answer.headers if name.startswith("access-control-")]


@pytest.mark.parametrize(("method", "path"), BEFORE_REGISTRATION)
@pytest.mark.parametrize("origin", ["http://localhost:6274", "http://127.0.0.1:1", "http://[::1]:2"])
def test_a_page_of_this_machine_may_find_and_register(idp: Client, method: str, path: str, origin: str) -> None:
    """MCP inspectors run in a browser, and say which revision of MCP they speak even here."""
    asked = preflight(origin, method) | {"Access-Control-Request-Headers": "mcp-protocol-version"}
    answer = idp.http.options(path, headers=asked)
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (204, origin)
    assert "mcp-protocol-version" in answer.headers["access-control-allow-headers"].lower()
    assert idp.http.request(method, path, headers={"Origin": origin}).headers["access-control-allow-origin"] == origin


@PAGES
def test_pages_are_for_nobodys_script(idp: Client, path: str) -> None:
    for response in (
        idp.http.get(path, headers={"Origin": idp.at.ui}),
        idp.http.request("OPTIONS", path, headers=preflight(idp.at.ui, "GET")),
    ):
        assert not [name for name in response.headers if name.startswith("access-control-")]
