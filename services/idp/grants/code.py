"""Authorization code (RFC 6749 §4.1.3, with RFC 7636, RFC 8707 and the care of RFC 9700 §2.1.1)."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import BaseModel

from services.idp import pkce, resource
from services.idp.client_auth import ClientForm
from services.idp.errors import InvalidGrant
from services.idp.grants import Authorization
from services.idp.grants.refresh import first, person
from services.idp.parameters import Parameters
from services.idp.provider import Provider
from services.idp.records import Code, Family
from services.idp.registry import Client


class CodeForm(ClientForm):
    """RFC 6749 §4.1.3."""

    grant_type: Literal["authorization_code"]
    code: str
    redirect_uri: str
    code_verifier: str
    """RFC 7636 §4.5."""
    resource: tuple[str, ...] = ()
    """RFC 8707 §2.2."""
    organization: str | None = None
    """Ours: the one that was authorized, if any."""


class CodeGrant:
    """A code is good for one attempt. A second one means that it leaked, and ends what the first one got."""

    name: ClassVar[str] = "authorization_code"
    form: ClassVar[type[BaseModel]] = CodeForm

    def authorize(self, parameters: Parameters, client: Client, provider: Provider, *, at: float) -> Authorization:
        form = parameters.parse(CodeForm)
        code, family = redeem(
            form.code,
            provider,
            client_id=client.id,
            redirect_uri=form.redirect_uri,
            verifier=form.code_verifier,
            at=at,
        )
        if code.dpop_jkt not in (None, parameters.proven_key):
            raise InvalidGrant("the code is for the holder of another key")
        target = resource.unchanged(form.resource, family.resource, provider.registry)
        member = person(family, form.organization, provider)
        return first(family, target, client, parameters, provider, member=member, nonce=code.nonce)


def redeem(
    secret: str, provider: Provider, *, client_id: str, redirect_uri: str, verifier: str, at: float
) -> tuple[Code, Family]:
    """The code, which is used up now, and what was granted with it.

    Raises:
        InvalidGrant: it is not good, or not for who hands it in.
    """
    code, family = _used_up(secret, provider, at=at)
    if family.client_id != client_id:
        raise InvalidGrant("the code was issued to another client")
    if redirect_uri != code.redirect_uri:
        raise InvalidGrant("redirect_uri is not the one the code was sent to")
    pkce.verify(verifier, code.challenge)
    return code, family


def _used_up(secret: str, provider: Provider, *, at: float) -> tuple[Code, Family]:
    code = provider.store.take_code(secret, at=at)
    if code is None:
        raise InvalidGrant("the code is not known")
    if code.used:
        provider.store.revoke_family(code.family, at=at)
        raise InvalidGrant("the code was used before; everything issued for it is revoked")
    family = provider.store.family(code.family, at=at)
    if at >= code.valid_until or family is None:
        raise InvalidGrant("the code has expired")
    return code, family
