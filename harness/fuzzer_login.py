"""How Schemathesis signs in: loaded by its process through ``SCHEMATHESIS_HOOKS``, told who and where by a variable."""

from __future__ import annotations

import json
import os
from typing import Any

import schemathesis

from harness.person import Person
from harness.stack import Stack

VARIABLE = "HARNESS_FUZZ_AS"
REFRESH_S = 240


def told(stack: Stack, username: str) -> str:
    """The variable's value for a stack and one of its people."""
    return json.dumps({"username": username, "issuer": stack.url("idp"), "audiences": stack.audiences()})


@schemathesis.auth(refresh_interval=REFRESH_S)
class SignedIn:
    """Bearer tokens of one person, replaced before they expire."""

    def get(self, case: Any, context: Any) -> str:  # noqa: ARG002  # Schemathesis' signature
        """A fresh token."""
        asked = json.loads(os.environ[VARIABLE])
        person = Person(asked["username"], issuer=asked["issuer"], audiences=asked["audiences"])
        return person.token("api")

    def set(self, case: Any, data: str, context: Any) -> None:  # noqa: ARG002
        """Put the token on a request."""
        case.headers = {**(case.headers or {}), "Authorization": f"Bearer {data}"}
