"""Values no schema can tell: a key that was never used, the version that something has now, the cursor of a page.

Loaded with ``harness.fuzzer_login``. What breaks the schema stays as it was generated.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from itertools import count
from typing import Any

import httpx
import schemathesis

from harness.code_flow import tls

KEY, MATCH, CURSOR = "Idempotency-Key", "If-Match", "cursor"
_VISIBLE = re.compile(r"[\x21-\x7e]+")
_OPAQUE = re.compile(r"[A-Za-z0-9_-]{1,200}")
_LEFT_ALONE = 5
"""A made-up entity tag or cursor stays if its length is a multiple of this."""
_SHORTEST_KEY = 8
_numbers = count(1)


@schemathesis.hook
def before_call(_context: Any, case: Any, _kwargs: dict[str, Any]) -> None:
    """Replace them in a request that is about to be sent, or leave them out; of made-up tags and cursors, most."""
    headers = case.headers or {}
    if _VISIBLE.fullmatch(str(headers.get(KEY, ""))):
        case.headers[KEY] = str(next(_numbers)).rjust(max(len(headers[KEY]), _SHORTEST_KEY), "0")
    match = str(headers.get(MATCH, ""))
    if match and len(match) % _LEFT_ALONE and (tag := _present(case, headers)):
        case.headers[MATCH] = tag
    cursor = str((case.query or {}).get(CURSOR, ""))
    if _OPAQUE.fullmatch(cursor) and len(cursor) % _LEFT_ALONE:
        del case.query[CURSOR]


def _present(case: Any, headers: Mapping[str, str]) -> str | None:
    """The entity tag of what the request is about: the resource itself or, for a part without one, what is above."""
    path: str = case.formatted_path
    authorization = {name: value for name, value in headers.items() if name == "Authorization"}
    for place in (path, path.rpartition("/")[0]):
        answer = _client().get(case.operation.base_url + place, headers=authorization)
        if answer.is_success and "ETag" in answer.headers:
            return answer.headers["ETag"]
    return None


@functools.cache
def _client() -> httpx.Client:
    return httpx.Client(verify=tls(), timeout=30)
