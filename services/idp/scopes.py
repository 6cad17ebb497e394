"""Scopes: those of OpenID Connect belong to this provider, every other one to a resource (RFC 6749 §3.3)."""

from __future__ import annotations

from collections.abc import Mapping

from services.idp.errors import InvalidScope
from services.idp.registry import Resource

OPENID = frozenset({"openid", "profile", "email"})
OFFLINE = "offline_access"


def asked(text: str | None, resource: Resource, known: Mapping[str, str]) -> frozenset[str]:
    """What a request may get at a resource: the scopes it names that mean something there (RFC 8707 §2.2).

    If it names none it gets all that the resource understands, and neither an ID token nor a refresh token.

    Raises:
        InvalidScope: one does not exist, or none means anything at the resource.
    """
    if text is None:
        return resource.scopes
    scopes = frozenset(text.split(" ")) - {""}
    if not scopes <= known.keys():
        raise InvalidScope("scope names something unknown")
    granted = scopes & (resource.scopes | OPENID | {OFFLINE})
    if not granted:
        raise InvalidScope("no scope means anything at the resource")
    return granted


def narrowed(text: str | None, granted: frozenset[str]) -> frozenset[str]:
    """Fewer than were granted, or the same if nothing is asked (RFC 6749 §6).

    Raises:
        InvalidScope: more.
    """
    scopes = frozenset((text or "").split(" ")) - {""}
    if not scopes <= granted:
        raise InvalidScope("scope exceeds what was granted")
    return scopes or granted


def text(scopes: frozenset[str]) -> str:
    """As on the wire, in a stable order."""
    return " ".join(sorted(scopes))
