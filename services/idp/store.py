"""What this provider remembers while it runs: open login pages, sessions, codes, and families of tokens."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Generic, Protocol, TypeVar

from services.idp.registry import Client, Resource


class Perishable(Protocol):
    """Something that ends at a POSIX time."""

    @property
    def expires_at(self) -> float: ...


Record = TypeVar("Record", bound=Perishable)


class Shelf(Generic[Record]):
    """Records by key; the oldest make room for new ones, so that a flood of requests cannot fill the memory."""

    def __init__(self, capacity: int = 100_000) -> None:
        self._capacity = capacity
        self._records: dict[str, Record] = {}

    def put(self, key: str, record: Record) -> None:
        """Lay down or replace."""
        if key not in self._records and len(self._records) >= self._capacity:
            del self._records[next(iter(self._records))]
        self._records[key] = record

    def get(self, key: str | None, *, at: float) -> Record | None:
        """The record, unless its time is over."""
        record = self._records.get(key) if key else None
        if record is None or at >= record.expires_at:
            return None
        return record

    def drop(self, key: str) -> None:
        """Forget; unknown keys are fine."""
        self._records.pop(key, None)


@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    """A request that passed every check of ``authorize``."""

    client: Client
    redirect_uri: str
    scopes: frozenset[str]
    resource: Resource
    challenge: str
    state: str | None
    nonce: str | None
    prompts: frozenset[str]
    max_age: int | None
    hinted_subject: str | None


@dataclass(frozen=True, slots=True)
class Interaction:
    """A login page, open in the browser that asked for it and no other."""

    request: AuthorizationRequest
    browser: str
    expires_at: float


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody signed in, in one browser."""

    sid: str
    """What clients are told (OIDC ``sid``); the cookie holds another value."""
    subject: str
    auth_time: int
    logout_token: str
    """Proves that the sign-out question was answered on our page."""
    expires_at: float


@dataclass(frozen=True, slots=True)
class Family:
    """All tokens that come from one authorization; they are revoked together (RFC 9700 §4.14)."""

    id: str
    subject: str
    client_id: str
    scopes: frozenset[str]
    resource: Resource
    sid: str
    auth_time: int
    expires_at: float
    revoked: bool = False


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


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """One link in the chain of a family; each is good once."""

    family: str
    expires_at: float
    used: bool = False


@dataclass(frozen=True, slots=True)
class RevokedToken:
    """An access token revoked by itself; known until it would have expired anyway."""

    expires_at: float


@dataclass
class Store:
    """The shelves. Secrets (cookies, codes, refresh tokens) are kept only as digests."""

    interactions: Shelf[Interaction] = field(default_factory=Shelf)
    _sessions: Shelf[Session] = field(default_factory=Shelf)
    _families: Shelf[Family] = field(default_factory=Shelf)
    _codes: Shelf[Code] = field(default_factory=Shelf)
    _refresh_tokens: Shelf[RefreshToken] = field(default_factory=Shelf)
    _revoked: Shelf[RevokedToken] = field(default_factory=Shelf)

    def add_session(self, session: Session) -> str:
        """Returns the secret for the cookie."""
        return _kept(self._sessions, session)

    def session(self, secret: str | None, *, at: float) -> Session | None:
        return self._sessions.get(_digest(secret), at=at) if secret else None

    def end_session(self, secret: str | None) -> None:
        if secret:
            self._sessions.drop(_digest(secret))

    def add_family(self, family: Family) -> None:
        self._families.put(family.id, family)

    def family(self, family_id: str, *, at: float) -> Family | None:
        """None if it has ended, in time or by revocation."""
        family = self._families.get(family_id, at=at)
        return None if family is None or family.revoked else family

    def revoke_family(self, family_id: str, *, at: float) -> None:
        """With it go its refresh tokens, and its access tokens as far as this provider is asked about them."""
        family = self._families.get(family_id, at=at)
        if family:
            self._families.put(family_id, replace(family, revoked=True))

    def add_code(self, code: Code) -> str:
        """Returns the code as the client gets it."""
        return _kept(self._codes, code)

    def take_code(self, secret: str, *, at: float) -> Code | None:
        """The code as it was before; afterwards it counts as used, whatever comes of this attempt."""
        key = _digest(secret)
        code = self._codes.get(key, at=at)
        if code:
            self._codes.put(key, replace(code, used=True))
        return code

    def add_refresh_token(self, token: RefreshToken) -> str:
        """Returns the token as the client gets it."""
        return _kept(self._refresh_tokens, token)

    def refresh_token(self, secret: str, *, at: float) -> RefreshToken | None:
        return self._refresh_tokens.get(_digest(secret), at=at)

    def use_refresh_token(self, secret: str, *, at: float) -> None:
        """From now on its appearance is a sign of theft."""
        token = self.refresh_token(secret, at=at)
        if token:
            self._refresh_tokens.put(_digest(secret), replace(token, used=True))

    def revoke_access_token(self, jti: str, *, expires_at: float) -> None:
        self._revoked.put(jti, RevokedToken(expires_at))

    def access_token_revoked(self, jti: str, *, at: float) -> bool:
        return self._revoked.get(jti, at=at) is not None


def _kept(shelf: Shelf[Record], record: Record) -> str:
    secret = secrets.token_urlsafe(32)
    shelf.put(_digest(secret), record)
    return secret


def _digest(secret: str) -> str:
    return sha256(secret.encode()).hexdigest()
