"""Proof Key for Code Exchange (RFC 7636). Required of every client, and S256 is the only method (RFC 9700 §2.1.1)."""

from __future__ import annotations

import re
from hashlib import sha256
from secrets import compare_digest

from services.idp.errors import InvalidGrant, InvalidRequest
from services.shared import base64url

METHODS = ("S256",)

_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")  # a SHA-256 digest, §4.2
_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")  # §4.1


def accepted_challenge(challenge: str | None, method: str | None) -> str:
    """What the authorization request brought (§4.3).

    Raises:
        InvalidRequest: none, not of a digest's form, or made by another method (absent means plain).
    """
    if challenge is None:
        raise InvalidRequest("code_challenge is missing")
    if method not in METHODS:
        raise InvalidRequest("code_challenge_method must be S256")
    if not _CHALLENGE.fullmatch(challenge):
        raise InvalidRequest("code_challenge is malformed")
    return challenge


def verify(verifier: str, challenge: str) -> None:
    """What the token request brought (§4.6).

    Raises:
        InvalidGrant: it is not what the challenge was made from.
    """
    if not _VERIFIER.fullmatch(verifier) or not compare_digest(s256(verifier).encode(), challenge.encode()):
        raise InvalidGrant("code_verifier does not match")


def s256(verifier: str) -> str:
    """The challenge made from a verifier (§4.2)."""
    return base64url.encoded(sha256(verifier.encode()).digest())
