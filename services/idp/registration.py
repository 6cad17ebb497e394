"""Dynamic registration: a client makes itself known (RFC 7591) and looks after what it said (RFC 7592)."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from services.idp import client_metadata, credentials, scopes
from services.idp.client_metadata import ClientMetadata
from services.idp.errors import (
    NO_STORE,
    BearerError,
    Documented,
    ErrorBody,
    InvalidClientMetadata,
    InvalidRequest,
    NotOffered,
)
from services.idp.grants.code import CodeGrant
from services.idp.provider import Now, Provider, Started
from services.idp.registry import Client, Registrants
from services.idp.shelf import digest
from services.shared import bodies, strict_json

LONGEST = 32 * 1024
"""Bytes of a registration."""

MOST = 1_000
"""Clients of this kind in a tenant; the one that registered first makes room for the next."""

_OURS = ("registration_access_token", "registration_client_uri", "client_secret_expires_at", "client_id_issued_at")
"""Members of an answer that no request may have (RFC 7592 §2.2)."""

router = APIRouter()


class Registered(BaseModel):
    """RFC 7591 §3.2.1, with what RFC 7592 §3 adds, and all metadata as they are registered, whatever was asked for."""

    model_config = ConfigDict(extra="allow")

    client_id: str
    client_id_issued_at: int
    registration_client_uri: str
    registration_access_token: str
    client_secret: str | None = None
    client_secret_expires_at: int | None = None


class Update(ClientMetadata):
    """RFC 7592 §2.2: all metadata anew; what is left out is not registered any more."""

    client_id: str
    client_secret: str | None = None
    """Only to be compared."""


def _json_body(model: type[BaseModel]) -> dict[str, Any]:
    content = {"application/json": {"schema": model.model_json_schema()}}
    return {"requestBody": {"required": True, "content": content}}


_REFUSED: Documented = {400: {"model": ErrorBody}, 403: {"model": ErrorBody}}
_MANAGED: Documented = {
    400: {"model": ErrorBody},
    401: {"description": "No registration access token, or not that of this client (RFC 7592 §2)"},
}


@router.post(
    "/register",
    operation_id="register",
    status_code=201,
    responses={201: {"model": Registered}, **_REFUSED},
    openapi_extra=_json_body(ClientMetadata),
)
async def register(request: Request, provider: Started, at: Now) -> JSONResponse:
    """Make a client known, whoever asks. It gets nothing of a person before that person has agreed."""
    told = client_metadata.read(await _document(request))
    client_id, token = f"client_{secrets.token_urlsafe(12)}", secrets.token_urlsafe(32)
    secret = _secret(told)
    client = client_metadata.client(
        client_id,
        told,
        provider,
        _allowed(provider),
        issued_at=int(at),
        registration_digest=digest(token),
        secret_digest=digest(secret) if secret else None,
    )
    _make_room(provider)
    provider.registry.clients.put(client_id, client)
    return JSONResponse(_described(client, token, provider) | _with(secret), 201, NO_STORE)


@router.get(
    "/register/{client_id}", operation_id="readRegistration", responses={200: {"model": Registered}, **_MANAGED}
)
async def read_registration(client_id: str, request: Request, provider: Started) -> JSONResponse:
    """What is registered (RFC 7592 §2.1); a secret is not known here any more, and not told."""
    client, token = _managed(client_id, request, provider)
    return JSONResponse(_described(client, token, provider), headers=NO_STORE)


@router.put(
    "/register/{client_id}",
    operation_id="updateRegistration",
    responses={200: {"model": Registered}, **_MANAGED},
    openapi_extra=_json_body(Update),
)
async def update_registration(client_id: str, request: Request, provider: Started) -> JSONResponse:
    """Register something else in place of all that was (RFC 7592 §2.2)."""
    before, token = _managed(client_id, request, provider)
    document = await _document(request)
    told = client_metadata.read(document)
    _check_identity(document, before)
    secret = _secret(told) if before.secret_digest is None else None
    by_secret = told.token_endpoint_auth_method.startswith("client_secret")
    client = client_metadata.client(
        client_id,
        told,
        provider,
        _allowed(provider),
        issued_at=before.issued_at,
        registration_digest=before.registration_digest,
        secret_digest=(digest(secret) if secret else before.secret_digest) if by_secret else None,
    )
    provider.registry.clients.put(client_id, client)
    return JSONResponse(_described(client, token, provider) | _with(secret), headers=NO_STORE)


@router.delete("/register/{client_id}", operation_id="deleteRegistration", status_code=204, responses=_MANAGED)
async def delete_registration(client_id: str, request: Request, provider: Started, at: Now) -> Response:
    """Be unknown again (RFC 7592 §2.3): what was granted to the client is revoked."""
    _managed(client_id, request, provider)
    provider.registry.clients.drop(client_id)
    provider.store.revoke_client(client_id, at=at)
    return Response(status_code=204, headers=NO_STORE)


async def _document(request: Request) -> Mapping[str, Any]:
    if bodies.media_type(request.headers) != "application/json":
        raise InvalidClientMetadata("the body must be application/json")
    try:
        document = strict_json.loads(await bodies.read(request, longest=LONGEST))
    except bodies.TooLong:
        raise InvalidClientMetadata("the body is too long") from None
    except ValueError:
        raise InvalidClientMetadata("the body is not JSON") from None
    if not isinstance(document, dict):
        raise InvalidClientMetadata("the metadata must be a JSON object")
    return document


def _allowed(provider: Provider) -> Registrants:
    if provider.registry.registrants is None:
        raise NotOffered("clients cannot register themselves here")
    return provider.registry.registrants


def _check_identity(document: Mapping[str, Any], client: Client) -> None:
    """RFC 7592 §2.2: a client says who it is, and changes nothing of what it was given."""
    if document.get("client_id") != client.id:
        raise InvalidClientMetadata("client_id must be that of the client")
    changed = [name for name in _OURS if name in document]
    if changed:
        raise InvalidClientMetadata(f"{changed[0]} is not for the client to say")
    secret = document.get("client_secret")
    if secret is not None and not (
        isinstance(secret, str)
        and client.secret_digest is not None
        and secrets.compare_digest(digest(secret), client.secret_digest)
    ):
        raise InvalidClientMetadata("client_secret is not that of the client")


def _managed(client_id: str, request: Request, provider: Provider) -> tuple[Client, str]:
    """The client whose registration access token is presented, and the token; that nobody has the name is not told."""
    try:
        scheme, token = credentials.presented(request) or ("", "")
    except InvalidRequest as error:
        raise BearerError(400, error.error, error.description) from None
    if scheme != "bearer":
        raise BearerError(401)
    client = provider.registry.clients.get(client_id)
    expected = client.registration_digest if client else None
    if client is None or expected is None or not secrets.compare_digest(digest(token), expected):
        raise BearerError(401, "invalid_token", "the token does not belong to this client")
    return client, token


def _make_room(provider: Provider) -> None:
    clients = provider.registry.clients
    own = [client_id for client_id, client in clients.items() if client.registration_digest is not None]
    for client_id in own[: max(0, len(own) - MOST + 1)]:
        clients.drop(client_id)


def _secret(told: ClientMetadata) -> str | None:
    return secrets.token_urlsafe(32) if told.token_endpoint_auth_method.startswith("client_secret") else None


def _with(secret: str | None) -> dict[str, Any]:
    """RFC 7591 §3.2.1: 0 is a secret that does not expire."""
    return {"client_secret": secret, "client_secret_expires_at": 0} if secret else {}


def _described(client: Client, token: str, provider: Provider) -> dict[str, Any]:
    told: dict[str, Any] = {
        "client_id": client.id,
        "client_id_issued_at": client.issued_at,
        "registration_client_uri": f"{provider.issuer}/register/{client.id}",
        "registration_access_token": token,
        "client_name": client.name,
        "application_type": "native" if client.native else "web",
        "redirect_uris": sorted(client.redirect_uris),
        "post_logout_redirect_uris": sorted(client.post_logout_redirect_uris),
        "grant_types": sorted(client.grants),
        "response_types": ["code"] if CodeGrant.name in client.grants else [],
        "scope": scopes.text(client_metadata.within_reach(client.resources, provider.registry)),
        "token_endpoint_auth_method": client.auth_method,
        "jwks": client.jwks,
        "backchannel_logout_uri": client.backchannel_logout_uri,
        "dpop_bound_access_tokens": client.dpop_bound,
        "require_pushed_authorization_requests": client.pushes,
    }
    return {name: value for name, value in told.items() if value is not None}
