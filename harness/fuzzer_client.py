"""How hooks of Schemathesis ask the API by themselves, and what a token says. Loaded by those that do."""

from __future__ import annotations

import functools
from typing import Any

import httpx
import jwt

from harness.code_flow import tls

ANSWERS_IN_S = 30


def get(place: str, authorization: str | None) -> httpx.Response:
    """The answer to whoever sends that header, or none."""
    return _client().get(place, headers={} if authorization is None else {"Authorization": authorization})


def claims(token: str) -> dict[str, Any]:
    """What a token says, whether or not that is true.

    Raises:
        jwt.InvalidTokenError: it is none.
    """
    return jwt.decode(token, options={"verify_signature": False})


@functools.cache
def _client() -> httpx.Client:
    return httpx.Client(verify=tls(), timeout=ANSWERS_IN_S)
