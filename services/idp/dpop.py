"""Proof of possession (RFC 9449): a token is worth something only together with a key of the client."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from hashlib import sha256
from typing import Any
from urllib.parse import unquote, urlsplit

from starlette.requests import Request

from services.idp import keys
from services.idp.errors import InvalidDpopProof, UseDpopNonce
from services.idp.provider import Provider
from services.idp.urls import DEFAULT_PORTS
from services.shared import base64url
from services.shared import claims as claim
from services.shared.claims import InvalidToken
from services.shared.jws import ALGORITHMS, PRIVATE_MEMBERS, Jws, MalformedToken, PublicKey, parse

SIGNING_ALGORITHMS = sorted(ALGORITHMS)
HEADER = "DPoP"
OLDEST_S, EARLIEST_S = 300, 60
"""So old, and so far ahead of our clock, may a proof be (§11.1)."""


def proven(request: Request, provider: Provider, *, at: float, access_token: str | None = None) -> str | None:
    """The thumbprint of the key that made the proof of this request; None if there is no proof (§4.3).

    At a resource the proof must be about the ``access_token`` that it comes with (§7).

    Raises:
        InvalidDpopProof: it does not hold.
        UseDpopNonce: it must be made anew, with the nonce of now.
    """
    proofs = request.headers.getlist(HEADER)
    if not proofs:
        return None
    if len(proofs) > 1:
        raise InvalidDpopProof("there is more than one DPoP header")
    try:
        proof = parse(proofs[0], names_key=False)
        thumbprint = _thumbprint(proof)
        _check_about(proof.claims, request, provider)
        _check_time(proof.claims, at=at)
        if access_token is not None and not _is_of(access_token, claim.text(proof.claims, "ath")):
            raise InvalidToken("ath is that of another access token")
        jti = claim.text(proof.claims, "jti")
    except (MalformedToken, InvalidToken) as error:
        raise InvalidDpopProof(f"DPoP: {error}") from None
    _check_nonce(proof.claims, provider, at=at)
    if not provider.store.spend_assertion(f"dpop:{thumbprint}", jti, expires_at=at + OLDEST_S + EARLIEST_S, at=at):
        raise InvalidDpopProof("DPoP: the proof was used before")
    return thumbprint


def nonce(provider: Provider, *, at: float) -> str:
    """What proofs must say now, if they must say anything (§8)."""
    window = int(at // provider.settings.dpop_nonce_seconds)
    secret = provider.settings.api_client_secret.get_secret_value().encode()
    return hmac.new(secret, f"DPoP {provider.issuer} {window}".encode(), sha256).hexdigest()[:32]


def _thumbprint(proof: Jws) -> str:
    if proof.header.get("typ") != "dpop+jwt":
        raise InvalidToken("typ is not dpop+jwt")
    jwk = proof.header.get("jwk")
    if not isinstance(jwk, dict) or PRIVATE_MEMBERS & jwk.keys():
        raise InvalidToken("jwk is not a public key")
    members = _members(jwk)
    key = PublicKey.of({"alg": proof.header["alg"], "kid": "", **members})
    if key is None or not key.signed(proof):
        raise InvalidToken("the signature does not match")
    # Base64url has many spellings of a number, and each would have a thumbprint of its own.
    if members != _members(key.jwk.Algorithm.to_jwk(key.jwk.key, as_dict=True)):
        raise InvalidToken("jwk is not written as it must be")
    return keys.thumbprint(members)


def _members(jwk: Mapping[str, Any]) -> dict[str, Any]:
    return {name: jwk.get(name) for name in keys.REQUIRED.get(str(jwk.get("kty")), ())}


def _check_about(claims: Mapping[str, Any], request: Request, provider: Provider) -> None:
    if claim.text(claims, "htm") != request.method:
        raise InvalidToken("htm is another method")
    if _normal(claim.text(claims, "htu")) != _normal(f"{provider.issuer}{request.scope['path']}"):
        raise InvalidToken("htu is another address")


def _check_time(claims: Mapping[str, Any], *, at: float) -> None:
    made_at = claim.seconds(claims, "iat")
    if not at - OLDEST_S <= made_at <= at + EARLIEST_S:
        raise InvalidToken("iat is not now")


def _check_nonce(claims: Mapping[str, Any], provider: Provider, *, at: float) -> None:
    period = provider.settings.dpop_nonce_seconds
    if period and claims.get("nonce") not in (nonce(provider, at=at), nonce(provider, at=at - period)):
        raise UseDpopNonce(nonce(provider, at=at))


def _is_of(access_token: str, told: str) -> bool:
    made = base64url.encoded(sha256(access_token.encode()).digest())
    return hmac.compare_digest(made.encode(), told.encode("utf-8", "surrogatepass"))


def _normal(address: str) -> tuple[str, str, int | None, str]:
    """An address to be compared, without query and fragment (§4.3, RFC 3986 §6.2.2, §6.2.3).

    What a path spells as ``%74`` is ``t``: the path of our own request has been decoded, too.
    """
    try:
        url = urlsplit(address)
        return url.scheme, url.hostname or "", url.port or DEFAULT_PORTS.get(url.scheme), unquote(url.path) or "/"
    except ValueError:
        raise InvalidToken("htu is not an address") from None
