"""Token introspection (RFC 7662): a resource server asks what a token is worth. What is wrong with it is not told."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import JSONResponse

from services.idp import client_auth, metadata_documents, scopes
from services.idp.client_auth import ClientForm
from services.idp.errors import NO_STORE, ErrorBody
from services.idp.parameters import Parameters, form_body
from services.idp.provider import Now, Provider, Started
from services.idp.registry import Client
from services.idp.tokens import concerns, read_access_token, speaker
from services.shared.claims import InvalidToken
from services.shared.tokens import LOOKED_AT

router = APIRouter()


class IntrospectionForm(ClientForm):
    """RFC 7662 §2.1."""

    token: str = Field(repr=False)
    token_type_hint: str | None = None
    """Not needed: the two kinds look different."""


class Introspection(BaseModel):
    """RFC 7662 §2.2. A token that is not active has no other member; an access token has all of its claims."""

    model_config = ConfigDict(extra="allow")

    active: bool


@router.post(
    "/introspect",
    operation_id="introspect",
    responses={200: {"model": Introspection}, 400: {"model": ErrorBody}, 401: {"model": ErrorBody}},
    openapi_extra=form_body(IntrospectionForm),
)
async def introspect(request: Request, provider: Started, at: Now) -> JSONResponse:
    """What a token says, for the service it is meant for and for the client it was issued to, while it is good."""
    parameters = await Parameters.of_body(request)
    await metadata_documents.learn(parameters, provider, at=at)
    client = client_auth.authenticate_confidential(request, parameters, provider, at=at)
    form = parameters.parse(IntrospectionForm)
    told = _refresh_token(form.token, client, provider, at=at) or _access_token(form.token, client, provider, at=at)
    return JSONResponse(told | {"active": bool(told)}, headers=NO_STORE)


def _access_token(token: str, client: Client, provider: Provider, *, at: float) -> dict[str, Any]:
    """Its claims; none if it is not good, or none of the client's business (§4)."""
    try:
        read = read_access_token(
            token, provider, audiences=provider.registry.resources.keys(), at=at, binding=LOOKED_AT
        )
        subject = speaker(read, provider)
    except InvalidToken:
        return {}
    if not concerns(read, client):
        return {}
    username = {} if isinstance(subject, Client) else {"username": subject.user.username}
    return {**read.claims, **username, "token_type": "DPoP" if "cnf" in read.claims else "Bearer"}


def _refresh_token(token: str, client: Client, provider: Provider, *, at: float) -> dict[str, Any]:
    """What the next access token would be; none if it would be refused to the client."""
    known = provider.store.refresh_token(token, at=at)
    family = provider.store.family(known.family, at=at) if known and not known.used else None
    member = provider.registry.member(family.subject, family.organization) if family else None
    if family is None or member is None or family.client_id != client.id:
        return {}
    return {
        "iss": provider.issuer,
        "sub": member.sub,
        "username": member.user.username,
        "org_id": member.org_id,
        "client_id": family.client_id,
        "scope": scopes.text(family.scopes),
        "exp": int(family.expires_at),
    }
