"""Metadata and keys: OIDC Discovery, RFC 8414, RFC 7517, RFC 7638. What is announced is held, and nothing else."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any
from urllib.parse import urlsplit

import jwt
import pytest

from scenarios.services.idp.conftest import Client, refused, told


def metadata(idp: Client) -> dict[str, Any]:
    answer: dict[str, Any] = idp.http.get("/.well-known/openid-configuration").json()
    return answer


def test_both_documents_say_the_same(idp: Client) -> None:
    assert idp.http.get("/.well-known/oauth-authorization-server").json() == metadata(idp)


def test_the_issuer_is_what_was_configured_whatever_the_host_header(idp: Client) -> None:
    answer = idp.http.get("/.well-known/openid-configuration", headers={"Host": "evil.example"}).json()
    assert answer["issuer"] == idp.at.idp
    assert "evil.example" not in json.dumps(answer)


def test_every_endpoint_that_is_announced_is_there(idp: Client) -> None:
    announced = {name: url for name, url in metadata(idp).items() if name.endswith(("_endpoint", "_uri"))}
    assert len(announced) >= 8
    for url in announced.values():
        assert url.startswith(f"{idp.at.idp}/")
        assert idp.http.request("OPTIONS", url).status_code == 405


def test_every_endpoint_is_in_the_openapi_document(idp: Client) -> None:
    document = idp.http.get("/openapi.json").json()
    announced = {urlsplit(url).path for name, url in metadata(idp).items() if name.endswith(("_endpoint", "_uri"))}
    assert announced <= document["paths"].keys()
    form = document["paths"]["/token"]["post"]["requestBody"]["content"]["application/x-www-form-urlencoded"]["schema"]
    grants = {schema["properties"]["grant_type"]["const"] for schema in form["oneOf"]}
    assert grants == set(metadata(idp)["grant_types_supported"])


def test_a_grant_that_is_announced_is_known_and_another_is_not(idp: Client) -> None:
    for grant_type in metadata(idp)["grant_types_supported"]:
        error = idp.post("/token", {"client_id": "cli", "grant_type": grant_type}).json()["error"]
        assert error in ("invalid_request", "unauthorized_client")
    refused(idp.post("/token", {"client_id": "cli", "grant_type": "password"}), 400, "unsupported_grant_type")


def test_announced_scopes_resources_and_prompts_are_accepted(idp: Client) -> None:
    announced = metadata(idp)
    mine = [idp.at.api, idp.at.organizations, idp.at.ticketing]
    assert set(announced["protected_resources"]) == {*mine, f"{idp.at.idp}/scim/v2"}
    for resource in mine:
        asked = idp.asked(resource=resource, scope=" ".join(announced["scopes_supported"]))
        assert "interaction" in told(idp.authorize(asked))
    for prompt in announced["prompt_values_supported"]:
        assert told(idp.authorize(idp.asked(prompt=prompt))).get("error") in (None, "login_required")


def test_announced_claims_are_those_of_an_id_token(idp: Client) -> None:
    claims = jwt.decode(idp.tokens()["id_token"], options={"verify_signature": False})
    protocol = {"iss", "aud", "exp", "iat", "nonce", "at_hash"}
    assert set(metadata(idp)["claims_supported"]) == claims.keys() - protocol


def test_what_the_mcp_authorization_specification_wants_is_announced(idp: Client) -> None:
    announced = metadata(idp)
    assert announced["code_challenge_methods_supported"] == ["S256"]
    assert announced["authorization_response_iss_parameter_supported"] is True
    assert announced["response_types_supported"] == ["code"]


def test_keys_are_public_named_by_thumbprint_and_not_to_be_kept(idp: Client) -> None:
    response = idp.http.get("/jwks")
    assert response.headers["content-type"] == "application/jwk-set+json"
    assert response.headers["cache-control"] == "no-cache"
    for key in response.json()["keys"]:
        assert key.keys() == {"kty", "n", "e", "kid", "use", "alg"}
        assert (key["kty"], key["use"], key["alg"]) == ("RSA", "sig", "RS256")
        required = json.dumps({name: key[name] for name in ("e", "kty", "n")}, separators=(",", ":"))
        digest = hashlib.sha256(required.encode()).digest()
        assert key["kid"] == base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


@pytest.mark.parametrize("kind", ["access_token", "id_token"])
def test_another_library_verifies_the_tokens_by_these_documents(idp: Client, kind: str) -> None:
    announced = metadata(idp)
    token = idp.tokens()[kind]
    key = jwt.PyJWKClient(announced["jwks_uri"]).get_signing_key_from_jwt(token)
    algorithms = announced["id_token_signing_alg_values_supported"]
    audience = {"access_token": idp.at.api, "id_token": "cli"}[kind]
    assert jwt.get_unverified_header(token)["typ"] == {"access_token": "at+jwt", "id_token": "JWT"}[kind]
    assert jwt.decode(token, key, algorithms, issuer=announced["issuer"], audience=audience)["sub"].startswith("usr_")
