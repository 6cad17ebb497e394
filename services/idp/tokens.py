"""The tokens themselves: access tokens (RFC 9068) and ID tokens (OIDC Core §2), made and read."""

from __future__ import annotations

import secrets
from collections.abc import Set
from hashlib import sha256, sha512
from itertools import accumulate
from typing import Any

from pydantic import BaseModel

from services.idp import scopes
from services.idp.grants import Authentication, Authorization
from services.idp.members import Member
from services.idp.provider import Provider
from services.idp.registry import Algorithm, Client
from services.shared import base64url
from services.shared.claims import audiences as audiences_of
from services.shared.jws import MalformedToken, parse
from services.shared.tokens import BEARER, AccessToken, Binding, InvalidToken, access_token

_FAMILY = "fam_"

MOST_ANCESTORS = 12
"""Of a token that takes the place of another one; each is seventeen more characters of all that come after it."""


class TokenResponse(BaseModel):
    """RFC 6749 §5.1, OIDC Core §3.1.3.3, RFC 8693 §2.2.1. It describes what :func:`issue` makes."""

    access_token: str
    token_type: str
    expires_in: int
    scope: str
    refresh_token: str | None = None
    id_token: str | None = None
    issued_token_type: str | None = None


async def issue(
    authorization: Authorization, provider: Provider, *, at: float, key: str | None = None
) -> dict[str, Any]:
    """Turn a decision into tokens: the members of a :class:`TokenResponse` that there are.

    ``key`` is the thumbprint of the key that the access token is bound to (RFC 9449 §6); None makes a bearer token.
    """
    issued_at = int(at)
    expires_at = issued_at + provider.settings.access_token_seconds
    if authorization.not_after is not None:
        expires_at = min(expires_at, int(authorization.not_after))
    claims = access_claims(authorization, provider, issued_at=issued_at, expires_at=expires_at)
    if key is not None:
        claims["cnf"] = {"jkt": key}
    signed = await provider.keys.sign_beside(claims, typ="at+jwt")
    response = {
        "access_token": signed,
        "token_type": "DPoP" if key else "Bearer",
        "expires_in": expires_at - issued_at,
        "scope": scopes.text(authorization.scopes),
        "refresh_token": authorization.refresh_token,
        "id_token": await _id_token(authorization, provider, signed, issued_at),
        "issued_token_type": authorization.issued_token_type,
    }
    return {name: value for name, value in response.items() if value is not None}


def new_family_id() -> str:
    return f"{_FAMILY}{secrets.token_urlsafe(12)}"


def lineage(token: AccessToken) -> tuple[str, ...]:
    """The family of a token, if it has one, and the ``jti`` of each token from which it was exchanged, up to its own.

    They are written in front of its ``jti``, so that no table of tokens is needed.
    """
    return tuple(accumulate(str(token.claims["jti"]).split("."), "{}.{}".format))


def heir(token: AccessToken) -> str:
    """What the ``jti`` of a token begins with that takes the place of this one at the same service.

    So it may go on without end, and ``jti`` may not: from `MOST_ANCESTORS` on, such a token is a sibling of this one.
    """
    return lineage(token)[:MOST_ANCESTORS][-1]


def read_access_token(
    token: str, provider: Provider, *, audiences: Set[str], at: float, binding: Binding = BEARER
) -> AccessToken:
    """A token of ours, meant for one of ``audiences``, valid and not revoked.

    Raises:
        InvalidToken: it is not.
    """
    try:
        jws = parse(token)
    except MalformedToken as error:
        raise InvalidToken(str(error)) from None
    key = provider.keys.find(jws.kid)
    read = access_token(token, jws, key, issuer=provider.issuer, audiences=audiences, at=at, binding=binding)
    ancestors = lineage(read)
    orphaned = ancestors[0].startswith(_FAMILY) and provider.store.family(ancestors[0], at=at) is None
    if orphaned or provider.store.access_token_revoked(ancestors, at=at):
        raise InvalidToken("the token was revoked")
    return read


def speaker(token: AccessToken, provider: Provider) -> Member | Client:
    """The person who is the subject, in the organization it is about, or the machine whose own token it is (RFC 9068
    §2.2).

    Raises:
        InvalidToken: there is nobody of that name any more who may get tokens, or not about that organization.
    """
    if provider.registry.user(token.subject) is None:
        machine = provider.registry.clients.get(token.subject)
        if machine is None:
            raise InvalidToken("the subject is neither a known person nor a known client")
        return machine
    member = provider.registry.member(token.subject, token.org_id) if token.org_id else None
    if member is None:
        raise InvalidToken("the subject is not an active member of the organization")
    return member


def concerns(token: AccessToken, client: Client) -> bool:
    """Whether a client may know what a token says: it was issued to it, or it is the service the token is meant for."""
    return token.client_id == client.id or client.exchanges in audiences_of(token.claims)


def read_id_token_hint(token: str, provider: Provider) -> dict[str, Any]:
    """The claims of an ID token of ours, which may have expired (OIDC Core §3.1.2.1, RP-Initiated Logout §2).

    Raises:
        InvalidToken: this provider did not issue it, or not as an ID token.
    """
    try:
        jws = parse(token)
    except MalformedToken as error:
        raise InvalidToken(str(error)) from None
    key = provider.keys.find(jws.kid)
    if key is None or not key.signed(jws):
        raise InvalidToken("the ID token was not signed here")
    if jws.header.get("typ") != "JWT" or jws.claims.get("iss") != provider.issuer:
        raise InvalidToken("the token is not an ID token of this issuer")
    return jws.claims


def access_claims(
    authorization: Authorization, provider: Provider, *, issued_at: int, expires_at: int
) -> dict[str, Any]:
    """What an access token says (RFC 9068 §2.2)."""
    member, own_id = authorization.member, secrets.token_urlsafe(12)
    claims = {
        "iss": provider.issuer,
        "sub": member.sub if member else authorization.machine or authorization.client.id,
        "aud": authorization.resource.uri,
        "exp": expires_at,
        "iat": issued_at,
        "nbf": issued_at,
        "jti": f"{authorization.parent}.{own_id}" if authorization.parent else own_id,
        "client_id": authorization.client.id,
        "scope": scopes.text(authorization.scopes - {scopes.OFFLINE}),
    }
    if member:
        claims |= member.user.claims | {"org_id": member.org_id, "roles": [member.membership.role]}
    return claims | ({"act": authorization.actor} if authorization.actor else {})


async def _id_token(authorization: Authorization, provider: Provider, access: str, issued_at: int) -> str | None:
    told = authorization.authentication
    member = authorization.member
    if told is None or member is None or "openid" not in authorization.scopes:
        return None
    claims = {
        "iss": provider.issuer,
        "sub": member.sub,
        "aud": authorization.client.id,
        "exp": issued_at + provider.settings.access_token_seconds,
        "iat": issued_at,
        **_authentication_claims(told),
        "at_hash": _half_hash(access, provider.keys.active.algorithm),
        **member.told(authorization.scopes),
    }
    return await provider.keys.sign_beside(claims, typ="JWT")


def _authentication_claims(told: Authentication) -> dict[str, Any]:
    claims = {"auth_time": told.auth_time, "sid": told.sid}
    return claims | ({"nonce": told.nonce} if told.nonce is not None else {})


def _half_hash(token: str, algorithm: Algorithm) -> str:
    """``at_hash`` (OIDC Core §3.1.3.6), by the hash that the algorithm itself uses (RFC 8032 §5.1 for Ed25519)."""
    digest = (sha512 if algorithm == "EdDSA" else sha256)(token.encode()).digest()
    return base64url.encoded(digest[: len(digest) // 2])
