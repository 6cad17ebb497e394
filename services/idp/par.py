"""Pushed authorization requests (RFC 9126): a client says what it wants behind the browser's back."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import JSONResponse

from services.idp import client_auth, dpop, metadata_documents, redirects
from services.idp.authorization_request import Asked, AuthorizeForm, accepted
from services.idp.client_auth import ClientForm
from services.idp.errors import NO_STORE, BodyTooLong, ErrorBody, InvalidRequest, PayloadTooLarge
from services.idp.parameters import Parameters, form_body
from services.idp.provider import Now, Started
from services.idp.pushed import PREFIX
from services.idp.records import PushedRequest

_OF_THE_CLIENT = frozenset(ClientForm.model_fields) - {"client_id"}

router = APIRouter()


class PushForm(ClientForm, AuthorizeForm):
    """§2.1: the parameters of an authorization request, and those by which the client proves itself."""

    client_id: str | None = None  # type: ignore[assignment]  # the header may tell it


class Pushed(BaseModel):
    """§2.2."""

    request_uri: str
    expires_in: int


@router.post(
    "/par",
    operation_id="pushAuthorizationRequest",
    status_code=201,
    responses={201: {"model": Pushed}, **{status: {"model": ErrorBody} for status in (400, 401, 413)}},
    openapi_extra=form_body(PushForm),
)
async def push(request: Request, provider: Started, at: Now) -> JSONResponse:
    """Check a request as if the browser had brought it, and keep it for the browser to name."""
    try:
        parameters = await Parameters.of_body(request)
    except BodyTooLong as error:
        raise PayloadTooLarge(error.description) from None
    await metadata_documents.learn(parameters, provider, at=at)
    client = client_auth.authenticate(request, parameters, provider, at=at)
    thumbprint = dpop.proven(request, provider, at=at)
    if parameters.single("request_uri") is not None:
        raise InvalidRequest("request_uri cannot be pushed")
    asked = parameters.without(_OF_THE_CLIENT).with_default("client_id", client.id)
    form = asked.parse(AuthorizeForm)
    if not redirects.registered(form.redirect_uri, client):
        raise InvalidRequest("the client has not registered this redirect_uri")
    if thumbprint is not None:  # RFC 9449 §10.1
        asked = asked.with_default("dpop_jkt", thumbprint)
        if asked.single("dpop_jkt") != thumbprint:
            raise InvalidRequest("dpop_jkt is not the key that the proof is made with")
    accepted(Asked(form, client, provider.registry, pushed=True), provider)
    seconds = provider.settings.pushed_request_seconds
    name = provider.store.add_pushed(PushedRequest(client.id, asked.pairs, at + seconds))
    return JSONResponse({"request_uri": f"{PREFIX}{name}", "expires_in": seconds}, 201, NO_STORE)
