"""The clients and resources with which every provider is compared, in the words of each provider's configuration."""

from __future__ import annotations

from typing import Any

import yaml

from harness.strictness.probe import Application

RS256, ES256 = "https://tickets.example/", "https://signed-by-es256.example/"
"""Resources; the second one gets tokens signed by another algorithm where a provider can do that."""

REDIRECT_URI, AFTERWARDS = "http://127.0.0.1/callback", "http://127.0.0.1/bye"
OPENID, SCOPES = ("openid", "profile", "email", "offline_access"), ("tickets:read", "tickets:write")
USER = "alice"
PUBLIC, OTHER, SERVICE = "probe", "other", "service"
SECRET = "the-secret-of-the-service"  # noqa: S105  # of nobody real
TENANT = "es"
"""The issuer of ours that signs with ES256."""

_PUBLIC_GRANTS = ["authorization_code", "refresh_token"]
_DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"


def application(issuer: str) -> Application:
    """The public client, as a probe uses it."""
    return Application(
        issuer,
        PUBLIC,
        REDIRECT_URI,
        other_client_id=OTHER,
        post_logout_redirect_uri=AFTERWARDS,
        resource=RS256,
        scope=f"openid offline_access {SCOPES[0]}",
        username=USER,
    )


def for_ours() -> str:
    """The registry file of our own provider."""
    resource = {"tickets": {"uri": RS256, "name": "Tickets", "scopes": list(SCOPES)}}
    person = {"sub": USER, "username": USER, "name": "Alice", "email": "alice@tickets.example", "role": "agent"}
    public = {
        "redirect_uris": [REDIRECT_URI],
        "post_logout_redirect_uris": [AFTERWARDS],
        "native": True,
        "grants": [*_PUBLIC_GRANTS, _DEVICE_GRANT],
        "resources": ["tickets"],
        "default_resource": "tickets",
    }
    service = {"secret": SECRET, "grants": ["client_credentials"], "resources": ["tickets"]}
    tenant: dict[str, Any] = {
        "resources": resource,
        "scopes": {name: name for name in (*OPENID, *SCOPES)},
        "registration": {"grants": _PUBLIC_GRANTS, "resources": ["tickets"]},
        "clients": {name: {"name": name, **public} for name in (PUBLIC, OTHER)}
        | {SERVICE: {"name": SERVICE, **service}},
        "users": [{**person, "org_id": "org", "org_name": "Tickets"}],
    }
    other = {**tenant, "algorithm": "ES256", "resources": {"tickets": {**resource["tickets"], "uri": ES256}}}
    return yaml.safe_dump({**tenant, "tenants": {TENANT: other}})


def for_node() -> dict[str, Any]:
    """What the servers in ``servers/`` are told."""
    public = {
        "redirect_uris": [REDIRECT_URI],
        "post_logout_redirect_uris": [AFTERWARDS],
        "token_endpoint_auth_method": "none",
        "application_type": "web",
        "grant_types": [*_PUBLIC_GRANTS, _DEVICE_GRANT],
        "response_types": ["code"],
    }
    service = {
        "client_id": SERVICE,
        "client_secret": SECRET,
        "redirect_uris": [],
        "response_types": [],
        "grant_types": ["client_credentials"],
        "token_endpoint_auth_method": "client_secret_basic",
    }
    return {
        "registered": [*({"client_id": name, **public} for name in (PUBLIC, OTHER)), service],
        "resources": {RS256: "RS256", ES256: "ES256"},
        "algorithms": ["RS256"],
        "scopes": list(SCOPES),
    }


def for_nanoidp(issuer: str) -> dict[str, str]:
    """The files of a configuration folder of nanoidp."""
    public = {
        "token_endpoint_auth_method": "none",
        "redirect_uris": [REDIRECT_URI],
        "allowed_scopes": [*OPENID, *SCOPES],
        "allowed_resources": [RS256],
    }
    service = {"client_id": SERVICE, "client_secret": SECRET, "allowed_scopes": list(SCOPES)}
    settings = {
        "config_version": 1,
        "server": {"host": "127.0.0.1"},
        "oauth": {
            "issuer": issuer,
            "scopes_supported": [*OPENID, *SCOPES],
            "require_pkce": True,
            "refresh_token_rotation": True,
            "clients": [*({"client_id": name, **public} for name in (PUBLIC, OTHER)), service],
        },
    }
    users = {"config_version": 1, "users": {USER: {"password": USER, "roles": ["USER"]}}}
    return {"settings.yaml": yaml.safe_dump(settings), "users.yaml": yaml.safe_dump(users)}
