"""The claims of a JWT, read by type: a signature says who wrote them, not that they make sense (RFC 7519 §4.1)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_LAST_SECOND = 253_402_300_799  # 9999-12-31T23:59:59Z: beyond it, datetimes cannot follow


class InvalidToken(Exception):  # noqa: N818 - named like its error code, RFC 6750 §3.1
    """401 ``invalid_token``. ``description`` is safe to show: it never quotes the token."""

    def __init__(self, description: str) -> None:
        super().__init__(description)
        self.description = description


def seconds(claims: Mapping[str, Any], name: str) -> float:
    """A time of that name (POSIX seconds). Raises InvalidToken."""
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _LAST_SECOND:
        raise InvalidToken(f"{name} is missing or is not a time")
    return value


def text(claims: Mapping[str, Any], name: str) -> str:
    """Text of that name, which is not empty. Raises InvalidToken."""
    value = claims.get(name)
    if not isinstance(value, str) or not value:
        raise InvalidToken(f"{name} is missing or is not text")
    return value


def texts(claims: Mapping[str, Any], name: str) -> list[str]:
    """One or more texts of that name: a list, or the one by itself. Raises InvalidToken."""
    value = claims.get(name)
    found = [each for each in (value if isinstance(value, list) else [value]) if isinstance(each, str)]
    if not found or (isinstance(value, list) and len(found) < len(value)):
        raise InvalidToken(f"{name} is missing or is not text")
    return found


def audiences(claims: Mapping[str, Any]) -> list[str]:
    """``aud`` (RFC 7519 §4.1.3). Raises InvalidToken."""
    return texts(claims, "aud")


def check_times(claims: Mapping[str, Any], *, at: float) -> float:
    """Returns when they end, which must be told; when they begin need not be. Raises InvalidToken: not valid now."""
    expires_at = seconds(claims, "exp")
    if at >= expires_at:
        raise InvalidToken("the token has expired")
    if "nbf" in claims and at < seconds(claims, "nbf"):
        raise InvalidToken("the token is not valid yet")
    return expires_at
