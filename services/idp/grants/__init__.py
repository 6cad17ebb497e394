"""What a client may hand in for tokens: a file per grant type. A grant decides, and ``tokens`` signs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

from pydantic import BaseModel

from services.idp.members import Member
from services.idp.parameters import Parameters
from services.idp.provider import Provider
from services.idp.registry import Client, Resource


@dataclass(frozen=True, slots=True)
class Authentication:
    """What an ID token tells of a sign-in (OIDC Core §2)."""

    sid: str
    auth_time: int
    nonce: str | None


@dataclass(frozen=True, slots=True)
class Authorization:
    """A grant's decision: who may do what, where, for whom."""

    member: Member | None
    """None: the client acts for itself (RFC 9068 §2.2)."""
    client: Client
    resource: Resource
    scopes: frozenset[str]
    machine: str | None = field(default=None, kw_only=True)
    """The client that is the subject where it is not the one that asks: its token was exchanged."""
    parent: str | None
    """What the token comes from and is revoked with: the id of its family, or the ``jti`` of the token handed in."""
    authentication: Authentication | None = None
    """For an ID token; None where the client gets none."""
    refresh_token: str | None = field(default=None, repr=False)
    actor: dict[str, Any] | None = None
    """The ``act`` claim (RFC 8693 §4.1)."""
    not_after: float | None = None
    """The access token may not outlive this (POSIX seconds)."""
    issued_token_type: str | None = None
    """RFC 8693 §2.2.1."""


class Grant(Protocol):
    """One grant type."""

    name: ClassVar[str]
    """``grant_type`` on the wire."""
    form: ClassVar[type[BaseModel]]
    """Its parameters."""

    def authorize(self, parameters: Parameters, client: Client, provider: Provider, *, at: float) -> Authorization:
        """Decide on a request of an authenticated client that may use this grant. Raises ``OAuthError``."""
