"""Who may be given what somebody else has. Loaded with ``harness.fuzzer_login``.

Schemathesis asks for what was created or listed as one person again as each peer (``object_level_authorization``), and
takes for shared by design only what stands on the first page of their list. Here the other pages are read, too; and
nothing is shared with another organization, whoever lists it.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Iterator
from typing import Any

import httpx
import schemathesis
from schemathesis.openapi.checks import ObjectLevelAuthorizationViolation

from harness import fuzzer_client
from harness.contract import NOBODYS, Login

TOKENS_KEEP_S = 240
MOST_PAGES = 200


@schemathesis.hook
def filter_failure(_context: Any, failure: Any, case: Any, _response: Any) -> bool:
    """No finding: what a colleague finds in the list of all they may see."""
    if not isinstance(failure, ObjectLevelAuthorizationViolation):
        return True
    if _organization(failure.owner) != _organization(failure.peer):
        return True
    return not any(_is_listed(page, case) for page in _pages(failure.peer, case))


@schemathesis.check
def strangers_are_given_nothing(_context: Any, response: Any, case: Any) -> None:
    """Whatever the signed-in person is shown by a name of its own, nobody of another organization is."""
    login = Login.told()
    if case.method != "GET" or not _is_success(response) or not case.path_parameters:
        return
    if case.auth_identity != login.username:
        return
    path: str = case.formatted_path
    for stranger in login.peers:
        if _organization(stranger) != _organization(login.username) and (path, stranger) not in _asked:
            _asked.add((path, stranger))
            answer = _get(stranger, case.operation.base_url + path)
            if _is_success(answer) and not _has_their_own(stranger, case, answer, response):
                raise AssertionError(f"{stranger} of another organization is given {path}: {answer.text[:200]}")


def _has_their_own(stranger: str, case: Any, answer: httpx.Response, response: Any) -> bool:
    """Whether it is something else of the same name: a person can be a member here and there, as something else."""
    return bool(answer.json() != response.json()) and any(_is_listed(page, case) for page in _pages(stranger, case))


_asked: set[tuple[str, str]] = set()


def _pages(username: str, case: Any) -> Iterator[Any]:
    """Of the list above the first name in the path."""
    place = case.operation.base_url + case.operation.path.partition("/{")[0]
    for _ in range(MOST_PAGES):
        answer = _get(username, place)
        if not answer.is_success:
            return
        yield answer.json()
        if "next" not in answer.links:
            return
        place = str(answer.url.join(answer.links["next"]["url"]))


def _is_listed(page: Any, case: Any) -> bool:
    items = page.get("items", []) if isinstance(page, dict) else page
    first = str(next(iter(case.path_parameters.values())))
    return any(first in map(str, item.values()) for item in items if isinstance(item, dict))


def _is_success(response: Any) -> bool:
    return httpx.codes.is_success(response.status_code)


def _get(username: str, place: str) -> httpx.Response:
    return fuzzer_client.get(place, f"Bearer {_token(username)}")


@functools.cache
def _organization(username: str) -> object:
    """As it was when they were first asked for: who was deactivated since has not joined another."""
    token = _token(username)
    return None if token == NOBODYS else fuzzer_client.claims(token).get("org_id")


def _token(username: str) -> str:
    return _fresh_token(username, int(time.monotonic() // TOKENS_KEEP_S))


@functools.lru_cache(maxsize=64)
def _fresh_token(username: str, _period: int) -> str:
    return Login.told().token(username)
