"""Values no schema can tell: a key that was never used, the version that something has now, the cursor of a page, a
step that is possible now, where a stream begins and that it ends, and who is not to be deactivated.

Loaded with ``harness.fuzzer_login``. What breaks the schema stays as it was generated.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import count
from typing import Any

import httpx
import jwt
import schemathesis
from schemathesis.generation.modes import GenerationMode

from harness import fuzzer_client

KEY, MATCH, CURSOR, FOLLOW, TOLD = "Idempotency-Key", "If-Match", "cursor", "follow", "Last-Event-ID"
FROM_THE_BEGINNING = "0.0"
LEAVING, SOMEBODY = "POST /api/members/{id}/deactivation", "usr_nobody"
"""Whoever is signed in stays: the rest of the run would be as nobody."""
STEPS = "POST /api/tickets/{key}/transitions"
_ENDS = ("closed", "cancelled")
_VISIBLE = re.compile(r"[\x21-\x7e]+")
_OPAQUE = re.compile(r"[A-Za-z0-9_-]{1,200}")
_LEFT_ALONE = 5
"""A made-up entity tag or cursor stays if its length is a multiple of this; so does every request without a tag of
which this many came."""
_SHORTEST_KEY = 8
_numbers, _without_tag, _steps = count(1), count(1), count(1)


@schemathesis.hook
def before_load_schema(_context: Any, raw_schema: dict[str, Any]) -> None:
    """Take away a discriminator by which several values lead to one schema: of them Schemathesis knows only the last.

    What may be sent stays the same: each of the schemas says itself for which values it is.
    """
    _plain(raw_schema)


def _plain(part: Any) -> None:
    if isinstance(part, dict):
        schemas = list(part.get("discriminator", {}).get("mapping", {}).values()) if "oneOf" in part else []
        if len(set(schemas)) < len(schemas):
            del part["discriminator"]
    for each in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
        _plain(each)


@schemathesis.hook
def before_call(_context: Any, case: Any, _kwargs: dict[str, Any]) -> None:
    """Replace them in a request that is about to be sent, or leave them out; of made-up tags and cursors, most."""
    headers = case.headers or {}
    if _VISIBLE.fullmatch(str(headers.get(KEY, ""))):
        case.headers[KEY] = str(next(_numbers)).rjust(max(len(headers[KEY]), _SHORTEST_KEY), "0")
    match = str(headers.get(MATCH, ""))
    if _takes(case, MATCH) and (len(match) or next(_without_tag)) % _LEFT_ALONE and (tag := _present(case, headers)):
        case.headers[MATCH] = tag
    if case.operation.label == STEPS and _fits(case) and next(_steps) % _LEFT_ALONE:
        case.body = _possible(case, headers)
    if case.operation.label == LEAVING and (case.path_parameters or {}).get("id") == _sender(headers):
        case.path_parameters = {**case.path_parameters, "id": SOMEBODY}
    cursor = str((case.query or {}).get(CURSOR, ""))
    if _OPAQUE.fullmatch(cursor) and len(cursor) % _LEFT_ALONE:
        del case.query[CURSOR]
    if (told := str(headers.get(TOLD, ""))) and _fits(case) and len(told) % _LEFT_ALONE:
        case.headers[TOLD] = FROM_THE_BEGINNING
    if _takes(case, FOLLOW) and str((case.query or {}).get(FOLLOW, "true")).lower() == "true":
        case.query = {**(case.query or {}), FOLLOW: "false"}


def _takes(case: Any, name: str) -> bool:
    return any(each.name == name for each in (*case.operation.headers, *case.operation.query))


def _present(case: Any, headers: Mapping[str, str]) -> str | None:
    """The entity tag of what the request is about: the resource itself or, for a part without one, what is above."""
    path: str = case.formatted_path
    for place in (path, path.rpartition("/")[0]):
        answer = _got(case, place, headers)
        if answer.is_success and "ETag" in answer.headers:
            return answer.headers["ETag"]
    return None


def _fits(case: Any) -> bool:
    """Whether it is meant to fit the schema."""
    return case.meta is not None and case.meta.generation.mode is GenerationMode.POSITIVE


def _possible(case: Any, headers: Mapping[str, str]) -> Any:
    """A body with one of the statuses that the ticket can be moved to, in turn, and with what that requires.

    Of those from where it goes on, if there are any.
    """
    answer = _got(case, case.formatted_path, headers)
    steps = answer.json()["transitions"] if answer.is_success else []
    steps = [step for step in steps if step["to"] not in _ENDS] or steps
    if not steps:
        return case.body
    step = steps[next(_steps) % len(steps)]
    said = {name: text for name, text in case.body.items() if name == "comment"}
    return {"to": step["to"], **dict.fromkeys(step["requires"], "It was the cable."), **said}


def _sender(headers: Mapping[str, str]) -> object:
    """Who a request is sent as. Some carry a token that is none."""
    try:
        token = str(headers.get("Authorization", "")).removeprefix("Bearer ")
        return fuzzer_client.claims(token).get("sub")
    except jwt.InvalidTokenError:
        return None


def _got(case: Any, path: str, headers: Mapping[str, str]) -> httpx.Response:
    return fuzzer_client.get(case.operation.base_url + path, headers.get("Authorization"))
