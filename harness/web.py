"""The web interface as a user of the harness meets it: through the real login page, or with a session stored before."""

from __future__ import annotations

import base64
import json
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx

from harness import code_flow

if TYPE_CHECKING:
    from playwright.sync_api import Page, StorageState

CONFIGURATION = "/config.json"
CALLBACK = "/auth/callback"
START = "/tickets"
DISCOVERY = "/.well-known/openid-configuration"
WELL_KNOWN = {
    "issuer": "issuer",
    "jwksUri": "jwks_uri",
    "authorizationEndpoint": "authorization_endpoint",
    "tokenEndpoint": "token_endpoint",
    "userInfoEndpoint": "userinfo_endpoint",
    "endSessionEndpoint": "end_session_endpoint",
    "revocationEndpoint": "revocation_endpoint",
    "introspectionEndpoint": "introspection_endpoint",
    "parEndpoint": "pushed_authorization_request_endpoint",
}


def sign_in(page: Page, username: str) -> Page:
    """From the start page through the identity provider to the list of tickets; returns the page.

    The page's context must have the web interface as its base URL.
    """
    page.goto("/")
    page.get_by_role("button", name="Sign in").click()
    # Who is in several organizations has a button in each; the first is their first.
    page.locator(f'button[name="username"][value="{username}"]').first.click()
    page.wait_for_url(f"**{START}")
    return page


def session(url: str, username: str) -> StorageState:
    """What a browser holds once ``username`` has signed in to the web interface at ``url``: Playwright's storage state.

    Each call is a sign-in of its own, as on another device: a context that signs out, or trades in its refresh token,
    takes nothing from another one.

    Raises:
        SignInError: nobody of that name, or the request was refused.
    """
    configuration, well_known, keys = _surroundings(url)
    client = code_flow.Client(
        configuration["issuer"],
        configuration["clientId"],
        redirect_uri=url + CALLBACK,
        scope=configuration["scope"],
    )
    signed_in = code_flow.sign_in(client, username)
    stored = _as_angular_auth_oidc_client_stores(signed_in, well_known, keys)
    return {
        "cookies": [
            {
                "name": cookie.name,
                "value": cookie.value or "",
                "domain": urlsplit(configuration["issuer"]).hostname,
                "path": cookie.path,
                "expires": -1,
                "httpOnly": True,
                "secure": cookie.secure,
                "sameSite": "Lax",
            }
            for cookie in signed_in.cookies
        ],
        "origins": [
            {
                "origin": url,
                "localStorage": [{"name": f"0-{configuration['clientId']}", "value": json.dumps(stored)}],
            }
        ],
    }


def _surroundings(url: str) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """The interface's configuration, the discovery document and the keys of its identity provider."""
    with httpx.Client(verify=code_flow.tls(), timeout=code_flow.TIMEOUT_S) as client:
        configuration = client.get(url + CONFIGURATION).raise_for_status().json()
        discovery = client.get(configuration["issuer"] + DISCOVERY).raise_for_status().json()
        keys = client.get(discovery["jwks_uri"]).raise_for_status().json()
    return configuration, discovery, keys


def _as_angular_auth_oidc_client_stores(
    signed_in: code_flow.SignedIn, discovery: dict[str, Any], keys: dict[str, Any]
) -> dict[str, Any]:
    """Its entry in the local storage after a sign-in; a scenario compares it with the one a browser makes."""
    tokens = dict(signed_in.tokens)
    payload = tokens["id_token"].split(".")[1]
    return {
        "authWellKnownEndPoints": {name: discovery[key] for name, key in WELL_KNOWN.items() if key in discovery},
        "storageCodeFlowInProgress": False,
        "storageSilentRenewRunning": "",
        "authStateControl": "",
        "authNonce": None,
        "codeVerifier": "",
        "authnResult": tokens | {"state": "", "session_state": ""},
        "jwtKeys": keys,
        "authzData": tokens["access_token"],
        "access_token_expires_at": int(time.time() + tokens["expires_in"]) * 1000,
        "userData": json.loads(base64.urlsafe_b64decode(payload + "==")),
        "session_state": "",
    }
