"""Device authorization (RFC 8628 §3.1): a device without a browser asks, and shows a code to type in one elsewhere."""

from __future__ import annotations

import secrets
from urllib.parse import urlencode

from fastapi import APIRouter
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import JSONResponse

from services.idp import client_auth, metadata_documents, resource, scopes
from services.idp.client_auth import ClientForm
from services.idp.errors import NO_STORE, ErrorBody, UnauthorizedClient
from services.idp.grants.device import DeviceGrant
from services.idp.parameters import Parameters, form_body
from services.idp.provider import Now, Provider, Started
from services.idp.records import DeviceRequest

ALPHABET = "BCDFGHJKLMNPQRSTVWXZ"
"""No vowels, so that no words come out, and nothing that looks like something else (RFC 8628 §6.1)."""

_LENGTH = 8
_IGNORED = str.maketrans("", "", "- \t._")
_KNOWN_FOR_S = 3600
"""So long after its end a device is told what became of its request."""

router = APIRouter()


class DeviceAuthorizationForm(ClientForm):
    """RFC 8628 §3.1."""

    scope: str | None = None
    resource: tuple[str, ...] = ()
    """RFC 8707 §2."""
    organization: str | None = None
    """Ours: id or slug of the one that tokens are to be about."""


class DeviceAuthorization(BaseModel):
    """RFC 8628 §3.2."""

    device_code: str
    user_code: str
    verification_uri: str
    verification_uri_complete: str
    expires_in: int
    interval: int


@router.post(
    "/device_authorization",
    operation_id="deviceAuthorization",
    responses={200: {"model": DeviceAuthorization}, 400: {"model": ErrorBody}, 401: {"model": ErrorBody}},
    openapi_extra=form_body(DeviceAuthorizationForm),
)
async def device_authorization(request: Request, provider: Started, at: Now) -> JSONResponse:
    """A code for the device to ask again with, and one for the person to type."""
    parameters = await Parameters.of_body(request)
    await metadata_documents.learn(parameters, provider, at=at)
    client = client_auth.authenticate(request, parameters, provider, at=at)
    form = parameters.parse(DeviceAuthorizationForm)
    if DeviceGrant.name not in client.grants:
        raise UnauthorizedClient("the client may not use device codes")
    target = resource.chosen(form.resource, client, provider.registry)
    settings, user_code = provider.settings, _new_user_code(provider, at=at)
    asked = DeviceRequest(
        client_id=client.id,
        scopes=scopes.asked(form.scope, target, provider.registry.scopes),
        resource=target.uri,
        interval=settings.device_interval_seconds,
        valid_until=at + settings.device_seconds,
        expires_at=at + settings.device_seconds + _KNOWN_FOR_S,
        organization=form.organization,
    )
    device_code = provider.store.devices.add(asked, user_code)
    page = f"{provider.issuer}/device"
    told = DeviceAuthorization(
        device_code=device_code,
        user_code=shown(user_code),
        verification_uri=page,
        verification_uri_complete=f"{page}?{urlencode({'user_code': shown(user_code)})}",
        expires_in=settings.device_seconds,
        interval=asked.interval,
    )
    return JSONResponse(told.model_dump(), headers=NO_STORE)


def shown(user_code: str) -> str:
    """As people read it: two groups of four."""
    return f"{user_code[:4]}-{user_code[4:]}"


def typed(text: str) -> str | None:
    """The user code that somebody meant, however they wrote it; None if it cannot be one (RFC 8628 §6.1)."""
    code = text.translate(_IGNORED).upper()
    return code if len(code) == _LENGTH and set(code) <= set(ALPHABET) else None


def _new_user_code(provider: Provider, *, at: float) -> str:
    code = "".join(secrets.choice(ALPHABET) for _ in range(_LENGTH))
    taken = provider.store.devices.shown(code, at=at) is not None
    return _new_user_code(provider, at=at) if taken else code
