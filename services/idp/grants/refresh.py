"""Refresh token (RFC 6749 §6), rotated at every use; the use of an old one ends the family (RFC 9700 §4.14.2)."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar, Literal

from pydantic import BaseModel

from services.idp import organization, resource, scopes
from services.idp.client_auth import ClientForm
from services.idp.errors import InvalidGrant
from services.idp.grants import Authentication, Authorization
from services.idp.members import Member
from services.idp.parameters import Parameters
from services.idp.provider import Provider
from services.idp.records import Family, RefreshToken
from services.idp.registry import Client, Resource


class RefreshForm(ClientForm):
    """RFC 6749 §6."""

    grant_type: Literal["refresh_token"]
    refresh_token: str
    scope: str | None = None
    resource: tuple[str, ...] = ()
    """RFC 8707 §2.2."""
    organization: str | None = None
    """Ours: the one that was authorized, if any."""


class RefreshGrant:
    """Fewer scopes may be asked for one access token; the next refresh may have them all again."""

    name: ClassVar[str] = "refresh_token"
    form: ClassVar[type[BaseModel]] = RefreshForm

    def authorize(self, parameters: Parameters, client: Client, provider: Provider, *, at: float) -> Authorization:
        form = parameters.parse(RefreshForm)
        family = _renewable(form.refresh_token, client, provider, at=at)
        if family.dpop_jkt not in (None, parameters.proven_key):
            raise InvalidGrant("the refresh token is for the holder of another key")
        target = resource.unchanged(form.resource, family.resource, provider.registry)
        narrowed = scopes.narrowed(form.scope, family.scopes)
        member = person(family, form.organization, provider)
        # Only now, so that a request that is refused for another reason does not cost the client its token.
        provider.store.use_refresh_token(form.refresh_token, at=at)
        return Authorization(
            member=member,
            client=client,
            resource=target,
            scopes=narrowed,
            parent=family.id,
            # The nonce belongs to the first ID token alone (OIDC Core §12.2).
            authentication=Authentication(family.sid, family.auth_time, nonce=None),
            refresh_token=_next(family, client, provider),
        )


def first(
    family: Family,
    target: Resource,
    client: Client,
    parameters: Parameters,
    provider: Provider,
    *,
    member: Member,
    nonce: str | None,
) -> Authorization:
    """All that somebody granted, with the first refresh token of the family."""
    return Authorization(
        member=member,
        client=client,
        resource=target,
        scopes=family.scopes,
        parent=family.id,
        authentication=Authentication(family.sid, family.auth_time, nonce),
        refresh_token=_next(_bound(family, client, parameters, provider), client, provider),
    )


def person(family: Family, named: str | None, provider: Provider) -> Member:
    """Whom the tokens of a family are about; the request may name their organization.

    Raises:
        InvalidTarget: it names another.
        InvalidGrant: the person is gone, or no longer an active member.
    """
    member = organization.unchanged(named, family, provider)
    if member is None:
        raise InvalidGrant("the person is no longer known")
    return member


def _next(family: Family, client: Client, provider: Provider) -> str | None:
    """None if the person or the registry does not allow any."""
    if scopes.OFFLINE not in family.scopes or RefreshGrant.name not in client.grants:
        return None
    return provider.store.add_refresh_token(RefreshToken(family.id, family.expires_at))


def _bound(family: Family, client: Client, parameters: Parameters, provider: Provider) -> Family:
    """The family, whose refresh tokens are from now on worth something only with the key that was proven.

    Those of a confidential client are bound to the client anyway (RFC 9449 §5).
    """
    if parameters.proven_key is None or not client.public:
        return family
    family = replace(family, dpop_jkt=parameters.proven_key)
    provider.store.add_family(family)
    return family


def _renewable(secret: str, client: Client, provider: Provider, *, at: float) -> Family:
    token = provider.store.refresh_token(secret, at=at)
    family = provider.store.family(token.family, at=at) if token else None
    if token is None or family is None:
        raise InvalidGrant("the refresh token is not known, has expired or was revoked")
    if family.client_id != client.id:
        raise InvalidGrant("the refresh token was issued to another client")
    if token.used:
        provider.store.revoke_family(family.id, at=at)
        raise InvalidGrant("the refresh token was used before; everything issued with it is revoked")
    return family
