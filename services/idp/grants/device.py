"""Device code (RFC 8628 §3.4): a device asks again and again, until somebody has answered for it in a browser."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar, Literal

from pydantic import BaseModel, Field

from services.idp import resource
from services.idp.client_auth import ClientForm
from services.idp.devices import Found
from services.idp.errors import AccessDenied, AuthorizationPending, ExpiredToken, InvalidGrant, SlowDown
from services.idp.grants import Authorization
from services.idp.grants.refresh import first, person
from services.idp.parameters import Parameters
from services.idp.provider import Provider
from services.idp.records import Family
from services.idp.registry import Client

SLOWER_S = 5
"""More between two questions, each time there was too little (§3.5)."""


class DeviceForm(ClientForm):
    """RFC 8628 §3.4."""

    grant_type: Literal["urn:ietf:params:oauth:grant-type:device_code"]
    device_code: str = Field(repr=False)
    organization: str | None = None
    """Ours: the one that was authorized, if any."""


class DeviceGrant:
    """A device code is good for one token response; what came of it stays known for a while, and is told."""

    name: ClassVar[str] = "urn:ietf:params:oauth:grant-type:device_code"
    form: ClassVar[type[BaseModel]] = DeviceForm

    def authorize(self, parameters: Parameters, client: Client, provider: Provider, *, at: float) -> Authorization:
        form = parameters.parse(DeviceForm)
        family = _granted(form.device_code, client, provider, at=at)
        target = resource.unchanged((), family.resource, provider.registry)
        member = person(family, form.organization, provider)
        return first(family, target, client, parameters, provider, member=member, nonce=None)


def _granted(device_code: str, client: Client, provider: Provider, *, at: float) -> Family:
    """What somebody let the device have; from now on its code counts as used."""
    found = provider.store.devices.asking(device_code, at=at)
    if found is None:
        raise InvalidGrant("the device code is not known")
    key, asked = found
    if asked.client_id != client.id:
        raise InvalidGrant("the device code was issued to another client")
    if asked.state == "used":
        raise InvalidGrant("the device code was used before")
    if asked.state == "denied":
        raise AccessDenied("the person said no")
    if at >= asked.valid_until:
        raise ExpiredToken("the device code has expired")
    if asked.state == "waiting":
        raise _asked_again(found, provider, at=at)
    family = provider.store.family(asked.family, at=at)
    if family is None:
        raise InvalidGrant("what was granted has been revoked")
    provider.store.devices.keep(key, replace(asked, state="used"))
    # It began with the answer of the person; the device may have come for it much later.
    family = replace(family, expires_at=max(family.expires_at, at + provider.settings.access_token_seconds))
    provider.store.add_family(family)
    return family


def _asked_again(found: Found, provider: Provider, *, at: float) -> AuthorizationPending:
    """Nobody has answered yet; whoever asks too often is told so, and has to wait longer from now on."""
    key, asked = found
    # A clock that was set back makes the pause negative: then nothing can be said about it.
    hasty = asked.polled_at is not None and 0 <= at - asked.polled_at < asked.interval
    interval = asked.interval + (SLOWER_S if hasty else 0)
    provider.store.devices.keep(key, replace(asked, polled_at=at, interval=interval))
    return (
        SlowDown(f"{interval} s must lie between two requests") if hasty else AuthorizationPending("not answered yet")
    )
