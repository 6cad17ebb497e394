"""Token revocation (RFC 7009): a client gives back what it no longer needs."""

from __future__ import annotations

from contextlib import suppress

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from services.idp import client_auth, metadata_documents
from services.idp.client_auth import ClientForm
from services.idp.errors import NO_STORE, ErrorBody, InvalidGrant, UnsupportedTokenType
from services.idp.parameters import Parameters, form_body
from services.idp.provider import Now, Provider, Started
from services.idp.registry import Client
from services.idp.tokens import read_access_token, read_id_token_hint
from services.shared.tokens import LOOKED_AT, InvalidToken

router = APIRouter()


class RevocationForm(ClientForm):
    """RFC 7009 §2.1."""

    token: str
    token_type_hint: str | None = None
    """Not needed: the two kinds look different."""


@router.post(
    "/revoke",
    operation_id="revoke",
    responses={200: {"description": "It is no longer good"}, 400: {"model": ErrorBody}, 401: {"model": ErrorBody}},
    openapi_extra=form_body(RevocationForm),
)
async def revoke(request: Request, provider: Started, at: Now) -> Response:
    """A refresh token goes with its whole family, an access token with what it was exchanged for.

    One that is not known is no error (§2.2).
    """
    parameters = await Parameters.of_body(request)
    await metadata_documents.learn(parameters, provider, at=at)
    client = client_auth.authenticate(request, parameters, provider, at=at)
    form = parameters.parse(RevocationForm)
    if not _revoke_refresh_token(form.token, client, provider, at=at):
        _revoke_access_token(form.token, client, provider, at=at)
    return Response(status_code=200, headers=NO_STORE)


def _revoke_refresh_token(token: str, client: Client, provider: Provider, *, at: float) -> bool:
    known = provider.store.refresh_token(token, at=at)
    family = provider.store.family(known.family, at=at) if known else None
    if family is None:
        return known is not None
    _require_owner(family.client_id, client)
    provider.store.revoke_family(family.id, at=at)
    return True


def _revoke_access_token(token: str, client: Client, provider: Provider, *, at: float) -> None:
    try:
        read = read_access_token(
            token, provider, audiences=provider.registry.resources.keys(), at=at, binding=LOOKED_AT
        )
    except InvalidToken:
        _refuse_id_token(token, provider)
        return  # invalid already, which is what the client wants
    _require_owner(read.client_id, client)
    provider.store.revoke_access_token(read.claims["jti"], expires_at=read.expires_at)


def _refuse_id_token(token: str, provider: Provider) -> None:
    """Nobody is asked about one, so it cannot be taken back, and the client should know (§2.2.1)."""
    with suppress(InvalidToken):
        read_id_token_hint(token, provider)
        raise UnsupportedTokenType("an ID token cannot be revoked")


def _require_owner(client_id: str, client: Client) -> None:
    if client_id != client.id:
        raise InvalidGrant("the token was issued to another client")
