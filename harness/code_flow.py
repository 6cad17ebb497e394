"""Signing in by authorization code + PKCE (RFC 6749 §4.1, RFC 7636) as a browser would, without one."""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from http.cookiejar import Cookie
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import httpx

from harness.errors import HarnessError

TIMEOUT_S = 30.0


class SignInError(HarnessError):
    """The identity provider did not give a code or a token; carries its answer."""


@dataclass(frozen=True)
class Client:
    """Who asks: a public client registered at ``issuer``. ``resource`` names the audience, None leaves it out."""

    issuer: str
    client_id: str
    redirect_uri: str
    resource: str | None = None
    scope: str | None = None


@dataclass(frozen=True)
class SignedIn:
    """What a sign-in leaves: the token response, and the cookies of the identity provider."""

    tokens: Mapping[str, Any]
    cookies: tuple[Cookie, ...]
    nonce: str


@cache
def tls() -> ssl.SSLContext:
    """Everything here is plain HTTP on this machine: a context without certificates costs nothing (else 40 ms)."""
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def challenge(verifier: str) -> str:
    """RFC 7636 §4.2, S256."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def sign_in(client: Client, username: str, *, organization: str | None = None) -> SignedIn:
    """Let ``username`` sign in on the provider's page and trade the code for tokens, about one of their organizations
    if it is named (id or slug), else about the first.

    Raises:
        SignInError: nobody of that name, or the request was refused.
    """
    verifier, state, nonce = secrets.token_urlsafe(48), secrets.token_urlsafe(16), secrets.token_urlsafe(16)
    asked = {
        "response_type": "code",
        "client_id": client.client_id,
        "redirect_uri": client.redirect_uri,
        "state": state,
        "nonce": nonce,
        "code_challenge": challenge(verifier),
        "code_challenge_method": "S256",
    } | _given(resource=client.resource, scope=client.scope, organization=organization)
    with httpx.Client(base_url=client.issuer, verify=tls(), timeout=TIMEOUT_S) as browser:
        answer = _pick(browser, browser.get("/authorize", params=asked), username)
        told = {name: values[0] for name, values in parse_qs(urlsplit(answer).query).items()}
        if told.get("state") != state or told.get("iss") != client.issuer or "code" not in told:
            where = f"{client.issuer} to {organization}" if organization else client.issuer
            todo = _scopes(browser) if told.get("error") == "invalid_scope" else ""
            raise SignInError(
                f"{username!r} could not sign in at {where}", evidence=f"redirected to {answer}", todo=todo
            )
        form = {
            "grant_type": "authorization_code",
            "client_id": client.client_id,
            "code": told["code"],
            "code_verifier": verifier,
            "redirect_uri": client.redirect_uri,
        } | _given(resource=client.resource)
        response = browser.post("/token", data=form)
        if response.status_code != httpx.codes.OK:
            raise SignInError(
                f"{username!r} got no token for {client.resource or client.client_id}",
                evidence=f"{response.status_code} {response.text[:300]}",
            )
        return SignedIn(tokens=response.json(), cookies=tuple(browser.cookies.jar), nonce=nonce)


def _scopes(browser: httpx.Client) -> str:
    """Which scopes the provider publishes (RFC 8414 §2), if it does."""
    answer = browser.get("/.well-known/openid-configuration")
    known = answer.json().get("scopes_supported") if answer.is_success else None
    return f"its scopes: {', '.join(known)}" if known else ""


def _given(**values: str | None) -> dict[str, str]:
    return {name: value for name, value in values.items() if value is not None}


def _pick(browser: httpx.Client, response: httpx.Response, username: str) -> str:
    """Press the button of ``username`` on the sign-in page; returns the redirect back to the client."""
    location = response.headers.get("location", "")
    interaction = parse_qs(urlsplit(location).query).get("interaction")
    if interaction is None:
        if location:
            return str(location)
        raise SignInError(
            "the authorization request was refused", evidence=f"{response.status_code} {response.text[:300]}"
        )
    picked = browser.post("/login", data={"interaction": interaction[0], "username": username})
    if "location" not in picked.headers:
        people = re.findall(r'name="username" value="([^"]+)"', browser.get(location).text)
        raise SignInError(
            f"nobody called {username!r} can sign in at {browser.base_url}",
            evidence=f"{picked.status_code} from POST /login",
            todo=f"who can: {', '.join(people)}" if people else "the sign-in page lists who can",
        )
    return _consented(browser, str(picked.headers["location"]))


def _consented(browser: httpx.Client, location: str) -> str:
    """Say yes, if the provider asks whether the client may have what it wants."""
    asked = location.removeprefix(f"{str(browser.base_url).rstrip('/')}/consent?")
    if asked == location:
        return location
    answered = browser.post("/consent", data=dict(parse_qsl(asked)) | {"answer": "allow"})
    return str(answered.headers.get("location", location))
