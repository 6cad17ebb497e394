"""Conditional requests (RFC 9110 §13): a version is an entity tag, and a change names the version that was read."""

from __future__ import annotations

import re
from typing import Annotated

from fastapi import Depends, Header, Response

from services.api.headers import ASK_AGAIN
from services.shared.problems import PreconditionRequired, Stale

_TAG = re.compile(r'"([1-9][0-9]{0,9})"')

NOT_MODIFIED = 304

IfNoneMatch = Annotated[
    str | None,
    Header(
        alias="If-None-Match",
        description="Entity tags of versions you have: if it still is one of these, the answer is 304, without a body.",
    ),
]
"""Any text: what is no entity tag matches nothing."""


def tag(version: int) -> str:
    """The entity tag of a version. It is a strong one: a version has one representation."""
    return f'"{version}"'


def answer(response: Response, version: int, if_none_match: str | None) -> Response | None:
    """Mark ``response`` with its version; the 304 in its place, if the caller has that version (RFC 9110 §13.1.2)."""
    headers = {"ETag": tag(version), "Cache-Control": ASK_AGAIN}
    response.headers.update(headers)
    if if_none_match is None:
        return None
    known = {each.strip().removeprefix("W/") for each in if_none_match.split(",")}
    return Response(status_code=NOT_MODIFIED, headers=headers) if known & {tag(version), "*"} else None


def _expected_version(
    if_match: Annotated[
        str | None,
        Header(
            alias="If-Match",
            description="The `ETag` of the version you read. Without it the answer is 428, with an old one 412.",
        ),
    ] = None,
) -> int:
    """The version the caller read.

    Raises:
        PreconditionRequired: none is named. ``*`` names none: it is how a change gets lost.
        Stale: what is named was never a version of this.
    """
    if if_match is None or if_match.strip() == "*":
        raise PreconditionRequired("Send If-Match with the ETag of the version you read.")
    found = _TAG.fullmatch(if_match.strip())
    if found is None:
        raise Stale("If-Match does not name a version. Send it as you got it in ETag.")
    return int(found[1])


ExpectedVersion = Annotated[int, Depends(_expected_version)]
