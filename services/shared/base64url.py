"""Base64url without padding, as JOSE, PKCE and cursors write bytes (RFC 7515 §2)."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode


def encoded(raw: bytes) -> str:
    """As text of the alphabet that URLs leave alone."""
    return urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")


def decoded(text: str) -> bytes:
    """The inverse, as lenient as Python's: foreign characters are skipped, and spare bits do not count.

    Raises:
        ValueError: it has characters beyond ASCII, or not the length of anything.
    """
    return urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
