"""The token endpoint (RFC 6749 §3.2): the phases every grant goes through, in their only order."""

from __future__ import annotations

import json
import logging

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from services.idp import client_auth, dpop, metadata_documents
from services.idp.errors import (
    NO_STORE,
    ErrorBody,
    InvalidDpopProof,
    InvalidRequest,
    UnauthorizedClient,
    UnsupportedGrantType,
)
from services.idp.grants import Grant
from services.idp.grants.client_credentials import ClientCredentialsGrant
from services.idp.grants.code import CodeGrant
from services.idp.grants.device import DeviceGrant
from services.idp.grants.exchange import ExchangeGrant
from services.idp.grants.jwt_bearer import JwtBearerGrant
from services.idp.grants.refresh import RefreshGrant
from services.idp.parameters import Parameters, form_body
from services.idp.provider import Now, Started
from services.idp.registry import Client
from services.idp.tokens import TokenResponse, issue

logger = logging.getLogger(__name__)
_json = json.JSONEncoder(separators=(",", ":")).encode

_GRANTS: tuple[Grant, ...] = (
    CodeGrant(),
    RefreshGrant(),
    ClientCredentialsGrant(),
    ExchangeGrant(),
    DeviceGrant(),
    JwtBearerGrant(),
)
GRANTS = {grant.name: grant for grant in _GRANTS}

router = APIRouter()
PATH = "/token"


@router.post(
    PATH,
    operation_id="token",
    responses={200: {"model": TokenResponse}, 400: {"model": ErrorBody}, 401: {"model": ErrorBody}},
    openapi_extra=form_body(*(grant.form for grant in _GRANTS)),
)
async def token(request: Request, provider: Started, at: Now) -> Response:
    """Hand in a grant for tokens."""
    parameters = await Parameters.of_body(request)
    await metadata_documents.learn(parameters, provider, at=at)
    client = client_auth.authenticate(request, parameters, provider, at=at)
    grant = _allowed(parameters.single("grant_type"), client)
    key = parameters.proven_key = dpop.proven(request, provider, at=at)
    if client.dpop_bound and key is None:  # RFC 9449 §5.2
        raise InvalidDpopProof("the client must prove that it holds a key")
    authorization = grant.authorize(parameters, client, provider, at=at)
    response = await issue(authorization, provider, at=at, key=key)
    subject = authorization.member.user.username if authorization.member else client.id
    logger.debug("%s: token for %s at %s", client.id, subject, authorization.resource.name)
    return Response(_json(response), media_type="application/json", headers=NO_STORE)


def _allowed(name: str | None, client: Client) -> Grant:
    if name is None:
        raise InvalidRequest("grant_type is missing")
    if name not in GRANTS:
        raise UnsupportedGrantType("the grant type is not supported")
    if name not in client.grants:
        raise UnauthorizedClient("the client may not use this grant type")
    return GRANTS[name]
