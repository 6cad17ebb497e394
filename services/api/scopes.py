"""Scopes that the api itself asks for: whatever it calls another service for is that one's to decide."""

from __future__ import annotations

from collections.abc import Iterable

from services.shared.problems import InsufficientScope
from services.shared.tokens import AccessToken

READ_TICKETS = "tickets:read"
READ_PEOPLE = "orgs:read"
READING = (READ_TICKETS, READ_PEOPLE)
"""Without which the service behind shows nothing, one for each."""


def readable(caller: AccessToken) -> frozenset[str]:
    """Those of `READING` that the caller's token is good for."""
    return caller.scopes.intersection(READING)


def missing(detail: str, needed: Iterable[str]) -> InsufficientScope:
    """The refusal that names the scopes to ask for, if they are known (RFC 6750 §3.1)."""
    wanted = " ".join(needed)
    challenge = {"WWW-Authenticate": f'Bearer error="insufficient_scope", scope="{wanted}"'} if wanted else {}
    return InsufficientScope(detail, headers=challenge)
