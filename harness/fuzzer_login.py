"""How Schemathesis signs in: loaded by its process through ``SCHEMATHESIS_HOOKS``, told who and where by a variable."""

from __future__ import annotations

import json
import os
from typing import Any

import schemathesis

from harness import fuzzer_values  # noqa: F401  # to be loaded is its work
from harness.contract import VARIABLE, Login
from harness.person import Person

REFRESH_S = 240
UNAUTHORIZED = 401


@schemathesis.auth(refresh_interval=REFRESH_S)
class SignedIn:
    """Bearer tokens of one person, replaced before they expire."""

    def get(self, case: Any, context: Any) -> str:  # noqa: ARG002  # Schemathesis' signature
        """A fresh token."""
        login = Login(**json.loads(os.environ[VARIABLE]))
        return Person(login.username, issuer=login.issuer, audiences=login.audiences).token("api")

    def set(self, case: Any, data: str, context: Any) -> None:  # noqa: ARG002
        """Put the token on a request."""
        _sent.add(f"Bearer {data}")
        case.headers = {**(case.headers or {}), "Authorization": f"Bearer {data}"}


_sent: set[str] = set()


@schemathesis.check
def the_token_is_accepted(_context: Any, response: Any, _case: Any) -> None:
    """Otherwise nothing is tested, and every refusal is as documented."""
    if response.status_code == UNAUTHORIZED and response.request.headers.get("Authorization") in _sent:
        raise AssertionError("The API answers 401 to the token of who is signed in.")
