"""Compact JWS read the strict way (RFC 7515 §5.2, RFC 8725): what may be two things to two readers is refused."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, NoReturn

import jwt
from jwt.exceptions import PyJWTError

from services.shared import base64url

ALGORITHMS = frozenset({"RS256", "ES256", "EdDSA"})
"""Asymmetric signatures only: a public key can never be taken for a shared secret."""

LONGEST_TOKEN = 8 * 1024
"""Characters; a token of this system has about a thousand."""

PRIVATE_MEMBERS = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
"""Members of a JWK that are nobody's business but its owner's (RFC 7518 §6.2.2, §6.3.2, §6.4.1)."""

_SURROGATE = rb"\ud"

RSA_BITS = range(2048, 8192 + 1)
"""A shorter key is none (RFC 7518 §3.3); a longer one is there to keep whoever checks with it busy."""


class MalformedToken(ValueError):  # noqa: N818 - says what the token is
    """Not a JWS this system would accept from anybody; the text is fit for ``error_description``."""


@dataclass(frozen=True, slots=True)
class Jws:
    """A token taken apart and not yet believed."""

    header: dict[str, Any]
    claims: dict[str, Any]
    signed: bytes
    signature: bytes

    @property
    def kid(self) -> str:
        """Which key is said to have signed (RFC 7515 §4.1.4)."""
        return str(self.header["kid"])

    @property
    def media_type(self) -> str:
        """What kind of token it says it is: ``typ`` in its short form, or just a JWT (RFC 7515 §4.1.9)."""
        return str(self.header.get("typ", "jwt")).lower().removeprefix("application/")


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A key with the one algorithm it is good for (RFC 8725 §3.1)."""

    kid: str
    algorithm: str
    jwk: jwt.PyJWK

    @classmethod
    def of(cls, member: object) -> PublicKey | None:
        """The key in one member of a JWK Set, or None if it is of no use here (RFC 7517 §5 says to ignore those)."""
        if not isinstance(member, dict) or not isinstance(member.get("kid"), str):
            return None
        if member.get("use", "sig") != "sig":
            return None
        try:
            jwk = jwt.PyJWK(member)
        except (PyJWTError, KeyError, NotImplementedError, TypeError, ValueError):
            return None
        if jwk.algorithm_name not in ALGORITHMS or (jwk.key_type == "RSA" and jwk.key.key_size not in RSA_BITS):
            return None
        return cls(member["kid"], jwk.algorithm_name, jwk)

    def signed(self, token: Jws) -> bool:
        """Whether this key made the signature, with its own algorithm and no other."""
        if token.header["alg"] != self.algorithm:
            return False
        return self.jwk.Algorithm.verify(token.signed, self.jwk.key, token.signature)


def parse(token: str, *, names_key: bool = True) -> Jws:
    """Take a compact JWS with a JSON object as payload apart. ``names_key``: ``kid`` may not be missing.

    Raises:
        MalformedToken: size, form, encoding or JSON are not exactly as they must be, the algorithm is not in
            ``ALGORITHMS``, ``kid`` is missing, or ``crit`` asks for an extension (none is understood here).
    """
    if len(token) > LONGEST_TOKEN:
        raise MalformedToken("the token is too long")
    parts = token.split(".")
    if len(parts) != 3 or not all(parts):  # noqa: PLR2004 - header, payload, signature
        raise MalformedToken("the token is not a signed JWT")
    header, claims = _object(_decoded(parts[0])), _object(_decoded(parts[1]))
    algorithm = header.get("alg")
    if not isinstance(algorithm, str) or algorithm not in ALGORITHMS:
        raise MalformedToken("the signature algorithm is not allowed")
    if "crit" in header:
        raise MalformedToken("the token has critical headers that are not understood")
    if not isinstance(header.get("kid", None if names_key else ""), str):
        raise MalformedToken("the token does not name its key")
    return Jws(header, claims, f"{parts[0]}.{parts[1]}".encode(), _decoded(parts[2]))


def _decoded(part: str) -> bytes:
    try:
        raw = base64url.decoded(part)
    except ValueError:
        raise MalformedToken("the token is not base64url") from None
    # Decoders skip foreign characters and ignore spare bits: one signature would have many spellings.
    if base64url.encoded(raw) != part:
        raise MalformedToken("the token is not base64url")
    return raw


def _object(raw: bytes) -> dict[str, Any]:
    try:
        value = json.loads(raw.decode("utf-8"), object_pairs_hook=_distinct, parse_constant=_no_constant)
        if _SURROGATE in raw.lower():  # half a character is no text that could be kept or sent (RFC 8259 §8.2)
            json.dumps(value, ensure_ascii=False).encode()
    except MalformedToken:
        raise
    except (ValueError, RecursionError):
        raise MalformedToken("the token does not hold JSON") from None
    if not isinstance(value, dict):
        raise MalformedToken("the token does not hold a JSON object")
    return value


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise MalformedToken("the token has a JSON member twice")
    return members


def _no_constant(name: str) -> NoReturn:
    raise MalformedToken(f"{name} is not JSON")
