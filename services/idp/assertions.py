"""JWT assertions (RFC 7523 §3): the signed word of somebody else, meant for this provider, soon over and good once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.idp.provider import Provider
from services.shared import claims as claim
from services.shared.claims import InvalidToken
from services.shared.jws import Jws, MalformedToken, PublicKey, parse

LONGEST_S = 3600
"""So far ahead an assertion may end: its id must be remembered until then."""


def taken_apart(token: str) -> Jws:
    """The assertion, not yet believed. It need not name its key (RFC 7523 does not ask for that).

    Raises:
        InvalidToken: it is no JWT.
    """
    try:
        return parse(token, names_key=False)
    except MalformedToken as error:
        raise InvalidToken(str(error)) from None


def key_of(assertion: Jws, jwks: Mapping[str, Any]) -> PublicKey | None:
    """The key that the assertion names; where it names none, the only one that it can be."""
    members = (PublicKey.of({"kid": "", **member}) for member in jwks["keys"])
    keys = [key for key in members if key and key.algorithm == assertion.header["alg"]]
    if "kid" in assertion.header:
        keys = [key for key in keys if key.kid == assertion.header["kid"]]
    return keys[0] if len(keys) == 1 else None


def verify(
    assertion: Jws, key: PublicKey | None, provider: Provider, *, endpoint: str, types: frozenset[str], at: float
) -> None:
    """Everything RFC 7523 §3 asks for but who it is about; afterwards it is used up.

    ``endpoint`` is the path where it was handed in, ``types`` what it may be besides just a JWT (RFC 8725 §3.11).

    Raises:
        InvalidToken: with the first thing that is wrong.
    """
    if key is None:
        raise InvalidToken("it is signed with an unknown key")
    if not key.signed(assertion):
        raise InvalidToken("the signature does not match")
    if assertion.media_type not in types | {"jwt"}:
        raise InvalidToken("typ is that of another kind of token")
    claims = assertion.claims
    issuer, jti = claim.text(claims, "iss"), claim.text(claims, "jti")
    if _names_of(provider, endpoint).isdisjoint(claim.audiences(claims)):
        raise InvalidToken("it is for another audience")
    expires_at = claim.check_times(claims, at=at)
    if expires_at - at > LONGEST_S:
        raise InvalidToken("it is valid for too long")
    if not provider.store.spend_assertion(issuer, jti, expires_at=expires_at, at=at):
        raise InvalidToken("it was used before")


def _names_of(provider: Provider, endpoint: str) -> frozenset[str]:
    """Whom an assertion may be for: the issuer (as FAPI 2 and new clients say), the token endpoint, or this one."""
    return frozenset({provider.issuer, f"{provider.issuer}/token", f"{provider.issuer}{endpoint}"})
