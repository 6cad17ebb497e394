"""Access tokens as a resource server checks them: RFC 9068 §4, with the care RFC 8725 asks for."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from services.shared import claims as claim
from services.shared.claims import InvalidToken
from services.shared.jws import Jws, MalformedToken, PublicKey, parse
from services.shared.keyset import KeysUnavailable, RemoteKeySet

if TYPE_CHECKING:
    import httpx

__all__ = [
    "BEARER",
    "LOOKED_AT",
    "AccessToken",
    "AccessTokenVerifier",
    "Binding",
    "InvalidToken",
    "KeysUnavailable",
    "access_token",
]


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A token that passed every check, and what it says."""

    token: str = field(repr=False)
    subject: str
    client_id: str
    scopes: frozenset[str]
    org_id: str | None
    roles: frozenset[str]
    actors: tuple[str, ...]
    """Who acts for the subject, the current actor first, then whoever acted before (RFC 8693 §4.1)."""
    expires_at: int
    """POSIX seconds; at this second the token is no longer valid (RFC 7519 §4.1.4)."""
    claims: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Binding:
    """The key that whoever brings a token has proven to hold, by its thumbprint (RFC 9449 §6); None is no proof."""

    thumbprint: str | None = None
    matters: bool = True
    """Otherwise the token is only looked at, and nothing is granted to who brings it."""

    def check(self, confirmation: object) -> None:
        """Whether a token with this ``cnf`` may be used so. Raises InvalidToken."""
        if not self.matters:
            return
        if confirmation is None and self.thumbprint is not None:
            raise InvalidToken("the token is bound to no key")
        if confirmation is not None and self.thumbprint is None:
            raise InvalidToken("the token is bound to a key and is no bearer token")
        if confirmation is not None and confirmation != {"jkt": self.thumbprint}:
            raise InvalidToken("the token is bound to another key")


KEPT = 256
"""Tokens whose signature a verifier remembers; callers come with the same one again and again."""

BEARER = Binding()
LOOKED_AT = Binding(matters=False)


class AccessTokenVerifier:
    """Checks the tokens meant for one audience. Make it when the service starts; it keeps the issuer's keys."""

    def __init__(self, *, issuer: str, audience: str, http: httpx.AsyncClient, jwks_uri: str | None = None) -> None:
        """``http`` stays the caller's to close. ``jwks_uri`` is ``{issuer}/jwks`` unless given."""
        self.issuer = issuer
        self.audience = audience
        self._keys = RemoteKeySet(jwks_uri or f"{issuer}/jwks", http)
        self._verified: dict[str, tuple[PublicKey, AccessToken]] = {}

    async def verify(self, token: str, *, at: float | None = None) -> AccessToken:
        """The token's content, if it is valid at the time ``at`` (POSIX seconds; now unless given).

        Raises:
            InvalidToken: it is not; answer 401.
            KeysUnavailable: the issuer's keys cannot be read; answer 503.
        """
        now = time.time() if at is None else at
        if token in self._verified:
            key, verified = self._verified[token]
            if await self._keys.find(key.kid, at=now) is key:  # nothing else about a token changes but the time
                claim.check_times(verified.claims, at=now)
                return verified
        try:
            jws = parse(token)
        except MalformedToken as error:
            raise InvalidToken(str(error)) from None
        found = await self._keys.find(jws.kid, at=now)
        verified = access_token(token, jws, found, issuer=self.issuer, audiences={self.audience}, at=now)
        if found is not None:
            self._keep(token, found, verified)
        return verified

    def _keep(self, token: str, key: PublicKey, verified: AccessToken) -> None:
        self._verified.pop(token, None)
        while len(self._verified) >= KEPT:
            del self._verified[next(iter(self._verified))]
        self._verified[token] = key, verified


def access_token(
    token: str,
    jws: Jws,
    key: PublicKey | None,
    *,
    issuer: str,
    audiences: Set[str],
    at: float,
    binding: Binding = BEARER,
) -> AccessToken:
    """Check a parsed token against the key its ``kid`` names; the signature comes before any claim is looked at.

    It must be meant for one of ``audiences``: a resource server has one, the issuer knows them all.

    Raises:
        InvalidToken: with the first thing that is wrong.
    """
    if jws.media_type != "at+jwt":
        raise InvalidToken("the token is not an access token")
    if key is None:
        raise InvalidToken("the token is signed with an unknown key")
    if not key.signed(jws):
        raise InvalidToken("the signature does not match")
    claims = jws.claims
    if claims.get("iss") != issuer:
        raise InvalidToken("the token is from another issuer")
    if audiences.isdisjoint(claim.audiences(claims)):
        raise InvalidToken("the token is for another audience")
    expires_at = claim.check_times(claims, at=at)
    claim.seconds(claims, "iat")
    claim.text(claims, "jti")
    binding.check(claims.get("cnf"))
    return AccessToken(
        token=token,
        subject=claim.text(claims, "sub"),
        client_id=claim.text(claims, "client_id"),
        scopes=_scopes(claims.get("scope", "")),
        org_id=claim.text(claims, "org_id") if "org_id" in claims else None,
        roles=_roles(claims.get("roles", [])),
        actors=tuple(_actors(claims.get("act"))),
        expires_at=int(expires_at),
        claims=claims,
    )


def _scopes(value: object) -> frozenset[str]:
    if not isinstance(value, str):
        raise InvalidToken("scope is not text")
    return frozenset(value.split())


def _roles(value: object) -> frozenset[str]:
    if not isinstance(value, list) or not all(isinstance(role, str) for role in value):
        raise InvalidToken("roles is not a list of text")
    return frozenset(value)


def _actors(value: object) -> Iterator[str]:
    while value is not None:
        if not isinstance(value, dict):
            raise InvalidToken("act is not an object")
        yield claim.text(value, "sub")
        value = value.get("act")
