"""What a service was asked and what it answered: one entry per HTTP exchange, without any secret."""

from __future__ import annotations

import base64
import json
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from starlette.types import Scope

KEPT = 2000
BODY_LIMIT = 65536
TOLD_CLAIMS = ("sub", "aud", "scope", "client_id", "act", "roles", "org_id", "exp")


@dataclass(slots=True)
class Exchange:
    """One request and its answer. ``at`` is seconds of the monotonic clock, the same for all processes of a machine."""

    service: str
    at: float
    method: str
    path: str
    status: int | None = None
    took_ms: float | None = None
    trace: str | None = None
    caller: str | None = None
    claims: Mapping[str, Any] = field(default_factory=dict)
    rpc: str | None = None


class Journal:
    """The last exchanges of one service."""

    def __init__(self, service: str) -> None:
        self._service = service
        self._kept: deque[Exchange] = deque(maxlen=KEPT)

    def open(self, scope: Scope) -> Exchange:
        """Begin an entry for a request."""
        authorization = trace = ""
        for name, value in scope["headers"]:
            if name == b"authorization":
                authorization = value.decode("latin-1")
            elif name == b"traceparent":
                trace = value.decode("latin-1")
        claims = _claims(authorization) if authorization else {}
        entry = Exchange(
            service=self._service,
            at=time.monotonic(),
            method=scope["method"],
            path=scope["path"],
            trace=trace.partition("-")[2].partition("-")[0] or None,
            caller=_caller(claims),
            claims=claims,
        )
        self._kept.append(entry)
        return entry

    def since(self, moment: float) -> list[dict[str, Any]]:
        """The entries after ``moment``, oldest first."""
        return [asdict(entry) for entry in self._kept if entry.at > moment]


def rpc(body: bytes) -> str | None:
    """What a JSON-RPC body asks for, such as ``tools/call get_ticket``; None when it is none."""
    try:
        asked = json.loads(body)
    except (ValueError, RecursionError):  # hostile bodies are the service's to answer, not ours to fail on
        return None
    if not isinstance(asked, dict) or "method" not in asked:
        return None
    parameters = asked.get("params")
    name = parameters.get("name") if isinstance(parameters, dict) else None
    return f"{asked['method']} {name}" if name else str(asked["method"])


def _claims(authorization: str) -> dict[str, Any]:
    """The claims of a bearer token, unverified and never the token: this is a record of what was said."""
    parts = authorization.removeprefix("Bearer ").split(".")
    if len(parts) != 3:  # noqa: PLR2004  # header, payload, signature (RFC 7515 §3.1)
        return {}
    try:
        payload = json.loads(base64.urlsafe_b64decode(parts[1] + "=="))
    except (ValueError, RecursionError):
        return {}
    return {name: payload[name] for name in TOLD_CLAIMS if name in payload} if isinstance(payload, dict) else {}


def _caller(claims: Mapping[str, Any]) -> str | None:
    actor = claims.get("act")
    if isinstance(actor, dict) and "sub" in claims:
        return f"{claims['sub']} by {actor.get('sub')}"
    return str(claims["sub"]) if "sub" in claims else None
