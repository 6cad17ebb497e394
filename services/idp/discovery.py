"""Metadata (OIDC Discovery §3, RFC 8414) and keys (RFC 7517 §5): computed from what is there, so that it cannot lie."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import JSONResponse

from services.idp import client_auth, dpop, pkce
from services.idp.authorization_request import PROMPTS, RESPONSE_MODES, RESPONSE_TYPES
from services.idp.errors import Documented
from services.idp.members import Member
from services.idp.provider import Provider, Started
from services.idp.registry import AuthMethod
from services.idp.token import GRANTS

_ENDPOINTS: Mapping[str, str] = {
    "authorization_endpoint": "authorize",
    "token_endpoint": "token",
    "pushed_authorization_request_endpoint": "push",
    "device_authorization_endpoint": "device_authorization",
    "userinfo_endpoint": "userinfo",
    "introspection_endpoint": "introspect",
    "revocation_endpoint": "revoke",
    "end_session_endpoint": "logout",
    "jwks_uri": "jwks",
}
"""Member of the metadata: name of the route."""

# A system that is started anew has new keys at the same address, so nothing may be kept unasked.
_FRESH = {"Cache-Control": "no-cache"}

UNKNOWN_TENANT: Documented = {404: {"description": "There is no such tenant"}}

router = APIRouter()


class JwkSet(JSONResponse):
    """RFC 7517 §8.5.2."""

    media_type = "application/jwk-set+json"


@router.get("/.well-known/openid-configuration", operation_id="openidConfiguration", response_model=dict[str, Any])
async def openid_configuration(request: Request, provider: Started) -> JSONResponse:
    """What this provider can do (OIDC Discovery §4)."""
    return JSONResponse(_metadata(request, provider), headers=_FRESH)


@router.get(
    "/.well-known/oauth-authorization-server", operation_id="authorizationServer", response_model=dict[str, Any]
)
async def authorization_server(request: Request, provider: Started) -> JSONResponse:
    """The same under its OAuth name (RFC 8414 §3)."""
    return JSONResponse(_metadata(request, provider), headers=_FRESH)


@router.get(
    "/.well-known/openid-configuration/t/{tenant}",
    operation_id="tenantOpenidConfiguration",
    response_model=dict[str, Any],
    responses=UNKNOWN_TENANT,
)
@router.get(
    "/.well-known/oauth-authorization-server/t/{tenant}",
    operation_id="tenantAuthorizationServer",
    response_model=dict[str, Any],
    responses=UNKNOWN_TENANT,
)
async def tenant_metadata(request: Request, tenant: str) -> JSONResponse:
    """That of the issuer at ``/t/{tenant}``, at the address RFC 8414 §3.1 makes of it."""
    provider: Provider | None = request.app.state.tenants.get(tenant) if tenant else None
    if provider is None:
        return JSONResponse({"error": "not_found"}, status_code=404)
    return JSONResponse(_metadata(request, provider), headers=_FRESH)


@router.get("/jwks", operation_id="jwks", response_class=JwkSet)
async def jwks(provider: Started) -> JwkSet:
    """The public keys."""
    return JwkSet(provider.keys.published(), headers=_FRESH)


def _metadata(request: Request, provider: Provider) -> dict[str, Any]:
    registry = provider.registry
    everything = frozenset(registry.scopes)
    people = (Member(user, user.memberships[0]) for user in registry.users.values())
    spoken = {claim for person in people for claim in person.told(everything)}
    endpoints = {member: f"{provider.issuer}{request.app.url_path_for(route)}" for member, route in _ENDPOINTS.items()}
    return {
        "issuer": provider.issuer,
        **endpoints,
        **_registration(provider),
        "response_types_supported": list(RESPONSE_TYPES),
        "response_modes_supported": list(RESPONSE_MODES),
        "grant_types_supported": list(GRANTS),
        "code_challenge_methods_supported": list(pkce.METHODS),
        "scopes_supported": list(registry.scopes),
        "prompt_values_supported": list(PROMPTS),
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": provider.keys.algorithms,
        **_authentication("token", client_auth.METHODS),
        **_authentication("introspection", client_auth.CONFIDENTIAL),
        **_authentication("revocation", client_auth.METHODS),
        "claims_supported": ["sub", "auth_time", "sid", *sorted(spoken)],
        "protected_resources": sorted(registry.resources),
        "authorization_response_iss_parameter_supported": True,
        "backchannel_logout_supported": True,
        "backchannel_logout_session_supported": True,
        "require_pushed_authorization_requests": False,
        "dpop_signing_alg_values_supported": dpop.SIGNING_ALGORITHMS,
        "claims_parameter_supported": False,
        "request_parameter_supported": False,
        "request_uri_parameter_supported": False,
    }


def _registration(provider: Provider) -> dict[str, Any]:
    if provider.registry.registrants is None:
        return {"client_id_metadata_document_supported": False}
    return {"registration_endpoint": f"{provider.issuer}/register", "client_id_metadata_document_supported": True}


def _authentication(endpoint: str, methods: Sequence[AuthMethod]) -> dict[str, Any]:
    """How clients prove themselves there (RFC 8414 §2)."""
    return {
        f"{endpoint}_endpoint_auth_methods_supported": list(methods),
        f"{endpoint}_endpoint_auth_signing_alg_values_supported": client_auth.SIGNING_ALGORITHMS,
    }
