"""What the provider was asked: kept as it came, and told without any secret."""

from __future__ import annotations

import asyncio
import json
import time
from base64 import b64decode
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

from services.shared import strict_json
from services.shared.base64url import decoded

KEPT = 300
"""Requests per tenant; the oldest make room."""

LONGEST = 64 * 1024
"""Bytes of a body that are kept."""

SECRET = frozenset(
    {"code", "code_verifier", "refresh_token", "access_token", "id_token", "token", "subject_token", "actor_token"}
    | {"client_secret", "client_assertion", "assertion", "device_code", "user_code", "request_uri", "id_token_hint"}
    | {"interaction", "confirmation", "registration_access_token", "logout_token", "code_challenge", "csrf"}
    | {"verification_uri_complete"}
)
"""Parameters and members that are told as a fingerprint: enough to see that two are the same, and no more."""


@dataclass(slots=True)
class Recorded:
    """One request and its answer."""

    at: float
    """POSIX seconds."""
    method: str
    path: str
    query: bytes
    authorization: bytes
    body: bytes = b""
    status: int = 0
    location: str = ""
    answer: bytes = b""

    @property
    def asked(self) -> dict[str, str]:
        """The form it carried, if it did."""
        return dict(parse_qsl(self.body.decode("latin-1")))

    def told(self) -> dict[str, Any]:
        """What may be known of it."""
        asked = {name: values[0] for name, values in parse_qs(self.query.decode("latin-1")).items()}
        asked |= _given(self.body)
        answered = _given(self.answer) | dict(parse_qsl(urlsplit(self.location).query))
        return {
            "at": self.at,
            "method": self.method,
            "path": self.path,
            "endpoint": self.path.strip("/").partition("/")[0],
            "client_id": asked.get("client_id") or _basic_client(self.authorization),
            "asked": _redacted(asked),
            "status": self.status,
            "error": answered.get("error"),
            "answered": _redacted(answered),
            "jti": _jti(answered.get("access_token")),
        }


@dataclass(slots=True)
class Requests:
    """The last requests of one tenant."""

    _kept: deque[Recorded] = field(default_factory=lambda: deque(maxlen=KEPT))
    _more: asyncio.Event = field(default_factory=asyncio.Event)

    def add(self, request: Recorded) -> None:
        """A request that has been answered."""
        self._kept.append(request)
        self._more.set()

    def clear(self) -> None:
        """Forget them."""
        self._kept.clear()

    def matching(self, wanted: Mapping[str, str]) -> list[dict[str, Any]]:
        """Those that have all of these: ``endpoint``, ``client_id``, ``status``, ``error``, or what was asked."""
        told = (request.told() for request in self._kept)
        return [each for each in told if all(_has(each, name, value) for name, value in wanted.items())]

    async def wait(self, wanted: Mapping[str, str], *, count: int, seconds: float) -> list[dict[str, Any]]:
        """The same, as soon as there are ``count``, or those there are after so long."""
        deadline = time.monotonic() + seconds
        while len(found := self.matching(wanted)) < count:
            self._more.clear()
            try:
                await asyncio.wait_for(self._more.wait(), timeout=deadline - time.monotonic())
            except TimeoutError:
                break
        return found


def fingerprint(secret: str) -> str:
    """The same for the same secret, and of no use to anybody else."""
    return f"#{sha256(secret.encode()).hexdigest()[:12]}"


def _has(told: Mapping[str, Any], name: str, value: str) -> bool:
    return str(told.get(name, told["asked"].get(name))) == value


def _redacted(given: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: fingerprint(value if isinstance(value, str) else json.dumps(value)) if name in SECRET else value
        for name, value in given.items()
    }


def _given(body: bytes) -> dict[str, Any]:
    """The members of a JSON object, or the fields of a form; a page tells nothing, nor does what could not be told."""
    try:
        if body[:1] == b"{":
            return _members(strict_json.loads(body))
        return dict(parse_qsl(body.decode("ascii"))) if body[:1].isalpha() else {}
    except ValueError:
        return {}


def _members(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _basic_client(authorization: bytes) -> str | None:
    scheme, _, credentials = authorization.partition(b" ")
    if scheme.lower() != b"basic":
        return None
    try:
        return b64decode(credentials).decode().partition(":")[0]
    except ValueError:
        return None


def _jti(token: Any) -> str | None:
    """The lineage of the token that was given out: ``jti`` begins with that of the token it was exchanged from."""
    try:
        return str(json.loads(decoded(str(token).split(".")[1]))["jti"])
    except (ValueError, KeyError, IndexError, TypeError):
        return None
