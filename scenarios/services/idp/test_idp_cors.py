"""Who may read answers across origins: scripts of registered clients, at the endpoints they need, without cookies."""

from __future__ import annotations

import pytest

from scenarios.services.idp.conftest import Client

READABLE = pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/.well-known/openid-configuration"),
        ("GET", "/.well-known/oauth-authorization-server"),
        ("GET", "/jwks"),
        ("POST", "/token"),
        ("POST", "/revoke"),
        ("POST", "/device_authorization"),
        ("GET", "/userinfo"),
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
@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://localhost", "suffix"])
def test_nobody_else_may(idp: Client, method: str, path: str, origin: str) -> None:
    if origin == "suffix":
        origin = f"{idp.at.ui}.evil.example"
    for response in (
        idp.http.request(method, path, headers={"Origin": origin}),
        idp.http.request("OPTIONS", path, headers=preflight(origin, method)),
    ):
        assert not [name for name in response.headers if name.startswith("access-control-")]
        assert "origin" in response.headers["vary"].lower()


@PAGES
def test_pages_are_for_nobodys_script(idp: Client, path: str) -> None:
    for response in (
        idp.http.get(path, headers={"Origin": idp.at.ui}),
        idp.http.request("OPTIONS", path, headers=preflight(idp.at.ui, "GET")),
    ):
        assert not [name for name in response.headers if name.startswith("access-control-")]
