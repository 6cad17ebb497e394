"""How Schemathesis signs in: loaded by its process through ``SCHEMATHESIS_HOOKS``, told who and where by a variable."""

from __future__ import annotations

import os
from typing import Any

import schemathesis
from schemathesis.auths import AuthProvider, CachingAuthProvider
from schemathesis.wfc.escalation import EscalatingAuthProvider

from harness import fuzzer_peers, fuzzer_values  # noqa: F401  # to be loaded is their work
from harness.contract import COVERAGE, Login

if COVERAGE in os.environ:
    from harness import fuzzer_coverage  # noqa: F401
REFRESH_S = 240
UNAUTHORIZED = 401


class SignedIn:
    """Bearer tokens of one person, replaced before they expire."""

    def __init__(self, login: Login, username: str) -> None:
        self._login, self._username = login, username

    def get(self, case: Any, context: Any) -> str:  # noqa: ARG002  # Schemathesis' signature
        """A fresh token."""
        return self._login.token(self._username)

    def set(self, case: Any, data: str, context: Any) -> None:  # noqa: ARG002
        """Put the token on a request."""
        _sent.add(f"Bearer {data}")
        case.headers = {**(case.headers or {}), "Authorization": f"Bearer {data}"}


_sent: set[str] = set()


@schemathesis.hook
def after_load_schema(_context: Any, schema: Any) -> None:
    """Let everything be sent as one person, and the peers stand by. (``[auth.wfc]`` would be a file with tokens.)"""
    login = Login.told()
    names = list(dict.fromkeys([login.username, *login.peers]))
    people: list[AuthProvider[Any]] = [
        CachingAuthProvider(SignedIn(login, name), refresh_interval=REFRESH_S) for name in names
    ]
    schema.auth.providers.append(EscalatingAuthProvider(people, names, peers=tuple(names), pinned=login.username))


@schemathesis.check
def the_token_is_accepted(_context: Any, response: Any, _case: Any) -> None:
    """Otherwise nothing is tested, and every refusal is as documented."""
    if response.status_code == UNAUTHORIZED and response.request.headers.get("Authorization") in _sent:
        raise AssertionError("The API answers 401 to the token of who is signed in.")
