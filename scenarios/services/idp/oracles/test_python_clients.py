"""Authlib and requests-oauthlib, the OAuth clients of Python, against the running provider."""

from __future__ import annotations

import secrets

import pytest
import requests_oauthlib
from authlib.integrations.base_client import OAuthError
from authlib.integrations.httpx_client import OAuth2Client
from authlib.oidc.core import CodeIDToken
from authlib.oidc.discovery import OpenIDProviderMetadata, get_well_known_url
from joserfc import jwk, jwt
from oauthlib.oauth2 import InvalidGrantError

from harness.code_flow import tls
from scenarios.services.idp.conftest import Client

NONCE = "the nonce"


def back_from(idp: Client, address: str) -> str:
    """Where the browser is sent after somebody has signed in on the page that ``address`` leads to."""
    return idp.pick("alice", idp.http.get(address)).headers["location"]


@pytest.fixture
def metadata(idp: Client, as_cli: dict[str, str]) -> OpenIDProviderMetadata:
    """What the provider says of itself, found by Authlib and valid by its rules, with the exceptions it must make."""
    found = OpenIDProviderMetadata(idp.http.get(get_well_known_url(as_cli["issuer"], external=True)).json())
    assert found.keys() >= {"issuer", "authorization_endpoint", "token_endpoint", "jwks_uri"}
    for rule in found.REGISTRY_KEYS:
        if f"{found.get(rule, '')}".startswith("http://"):
            continue  # it takes only https, which a provider on this machine does not have
        getattr(found, f"validate_{rule}", lambda: None)()
    return found


def test_authlib_signs_in_renews_and_revokes(
    idp: Client, as_cli: dict[str, str], metadata: OpenIDProviderMetadata
) -> None:
    session = OAuth2Client(
        as_cli["client_id"],
        redirect_uri=as_cli["redirect_uri"],
        scope=as_cli["scope"],
        token_endpoint_auth_method="none",
        revocation_endpoint_auth_method="none",
        code_challenge_method="S256",
        verify=tls(),
    )
    verifier = secrets.token_urlsafe(48)
    address, state = session.create_authorization_url(
        metadata["authorization_endpoint"], code_verifier=verifier, nonce=NONCE, resource=as_cli["resource"]
    )
    token = session.fetch_token(
        metadata["token_endpoint"],
        authorization_response=back_from(idp, address),
        state=state,
        code_verifier=verifier,
    )
    keys = jwk.KeySet.import_key_set(idp.http.get(metadata["jwks_uri"]).json())
    claims = CodeIDToken(
        jwt.decode(token["id_token"], keys, algorithms=["RS256"]).claims,
        header={"alg": "RS256"},
        options={"iss": {"value": as_cli["issuer"]}, "aud": {"value": as_cli["client_id"]}},
        params={"nonce": NONCE, "client_id": as_cli["client_id"], "access_token": token["access_token"]},
    )
    claims.validate()
    assert session.get(metadata["userinfo_endpoint"]).json()["sub"] == claims["sub"]
    renewed = session.refresh_token(metadata["token_endpoint"])
    assert renewed["refresh_token"] != token["refresh_token"]
    assert session.revoke_token(metadata["revocation_endpoint"], renewed["refresh_token"]).status_code == 200
    with pytest.raises(OAuthError, match="invalid_grant"):
        session.refresh_token(metadata["token_endpoint"], renewed["refresh_token"])


def test_requests_oauthlib_signs_in_and_renews(
    idp: Client, as_cli: dict[str, str], metadata: OpenIDProviderMetadata, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")
    token_endpoint, public = metadata["token_endpoint"], {"client_id": as_cli["client_id"], "include_client_id": True}
    with requests_oauthlib.OAuth2Session(
        as_cli["client_id"], redirect_uri=as_cli["redirect_uri"], scope=as_cli["scope"].split(), pkce="S256"
    ) as session:
        address, _ = session.authorization_url(metadata["authorization_endpoint"], resource=as_cli["resource"])
        token = session.fetch_token(
            token_endpoint, authorization_response=back_from(idp, address), include_client_id=True
        )
        assert session.get(metadata["userinfo_endpoint"]).json()["preferred_username"] == as_cli["username"]
        assert session.refresh_token(token_endpoint, **public)["refresh_token"] != token["refresh_token"]
        with pytest.raises(InvalidGrantError):
            session.refresh_token(token_endpoint, refresh_token=token["refresh_token"], **public)
