"""What this provider writes down: plain data only, so that each entry can be stored and read again after a restart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

NEVER = 253_402_300_799.0
"""POSIX seconds of the last moment of the year 9999, for what does not end by itself."""


@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    """A request that passed every check of ``authorize``."""

    client_id: str
    redirect_uri: str
    scopes: frozenset[str]
    resource: str
    """URI."""
    challenge: str
    state: str | None
    nonce: str | None
    prompts: frozenset[str]
    max_age: int | None
    hinted_subject: str | None
    """Of ``id_token_hint``: nobody else will do."""
    login_hint: str | None = None
    organization: str | None = None
    """Id or slug of the one that tokens are to be about; None leaves it to the person."""
    dpop_jkt: str | None = None
    """The key whose holder may redeem the code (RFC 9449 §10)."""


@dataclass(frozen=True, slots=True)
class Interaction:
    """A page, open in the browser that asked for it and no other."""

    request: AuthorizationRequest
    browser: str
    expires_at: float
    sid: str | None = None
    """The session that is asked for consent; None until somebody has signed in."""


@dataclass(frozen=True, slots=True)
class Consent:
    """What a person lets a client have at a resource."""

    scopes: frozenset[str]
    organization: str
    """Id of the one they are a member of while they say so."""
    expires_at: float = NEVER


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody signed in, in one browser."""

    sid: str
    """What clients are told (OIDC ``sid``); the cookie holds another value."""
    subject: str
    organization: str
    """Id of the one they signed in to: meant by requests that name none."""
    auth_time: int
    logout_token: str
    """Proves that the sign-out question was answered on our page."""
    expires_at: float


@dataclass(frozen=True, slots=True)
class Participation:
    """That a client was told of a session, and wants to know of its end."""

    client_id: str
    expires_at: float


@dataclass(frozen=True, slots=True)
class Family:
    """All tokens that come from one authorization; they are revoked together (RFC 9700 §4.14)."""

    id: str
    subject: str
    organization: str
    """Id of the one that they are about."""
    client_id: str
    scopes: frozenset[str]
    resource: str
    """URI."""
    sid: str
    auth_time: int
    expires_at: float
    revoked: bool = False
    dpop_jkt: str | None = None
    """The key without which a public client's refresh tokens are worth nothing (RFC 9449 §5)."""


@dataclass(frozen=True, slots=True)
class Code:
    """An authorization code. It stays known after its use, so that a second use is noticed."""

    family: str
    redirect_uri: str
    challenge: str
    nonce: str | None
    valid_until: float
    expires_at: float
    used: bool = False
    dpop_jkt: str | None = None


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """One link in the chain of a family; each is good once."""

    family: str
    expires_at: float
    used: bool = False


@dataclass(frozen=True, slots=True)
class DeviceRequest:
    """A device that asked, and what became of it (RFC 8628)."""

    client_id: str
    scopes: frozenset[str]
    resource: str
    """URI."""
    interval: int
    """Seconds between two of its questions."""
    valid_until: float
    expires_at: float
    organization: str | None = None
    """Id or slug, if it asked for one."""
    state: Literal["waiting", "granted", "denied", "used"] = "waiting"
    family: str = ""
    """What was granted."""
    polled_at: float | None = None


@dataclass(frozen=True, slots=True)
class UserCode:
    """What a device shows; it leads to its request."""

    device: str
    expires_at: float


@dataclass(frozen=True, slots=True)
class DeviceConfirmation:
    """The question whether a device is one's own, put in one browser."""

    device: str
    browser: str
    verifier: str
    """Of the authorization that follows (RFC 7636)."""
    expires_at: float


@dataclass(frozen=True, slots=True)
class WrongCodes:
    """How many were typed lately."""

    count: int
    expires_at: float


@dataclass(frozen=True, slots=True)
class Revocation:
    """Of an access token, and of what it was exchanged for; known until it would have expired anyway."""

    expires_at: float


@dataclass(frozen=True, slots=True)
class SpentAssertion:
    """It was handed in, and is known until it would have expired anyway."""

    expires_at: float


@dataclass(frozen=True, slots=True)
class KeptKey:
    """A signing key, for the next start."""

    algorithm: str
    private: str
    """PKCS #8, in base64."""
    state: str
    hidden: bool
    expires_at: float = NEVER


@dataclass(frozen=True, slots=True)
class Change:
    """An entry of a directory as it was changed at run time; None took it away."""

    entry: dict[str, Any] | None
    expires_at: float = NEVER


@dataclass(frozen=True, slots=True)
class PushedRequest:
    """An authorization request that the client has left here for the browser to name (RFC 9126)."""

    client_id: str
    parameters: list[tuple[str, str]]
    expires_at: float
