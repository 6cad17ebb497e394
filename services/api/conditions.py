"""Conditional requests (RFC 9110 §13): a version is an entity tag, and a change names the version that was read."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Header, Request, Response

from services.api.headers import ASK_AGAIN
from services.api.parameters import Omittable
from services.shared.problems import PreconditionRequired, Stale

NOT_MODIFIED = 304

IF_NONE_MATCH = "If-None-Match"

_IfNoneMatch = Annotated[
    str | None,
    Omittable(),
    Header(
        alias=IF_NONE_MATCH,
        description="Entity tags of versions you have: if it still is one of these, the answer is 304, without a body.",
    ),
]
"""Any text: what is no entity tag matches nothing."""


async def _known(request: Request, _: _IfNoneMatch = None) -> str | None:
    # The parameter is for the document; of a header in several lines it would hold the first (RFC 9110 §5.3).
    return ", ".join(request.headers.getlist(IF_NONE_MATCH)) or None


IfNoneMatch = Annotated[str | None, Depends(_known)]


_TAG = re.compile(r'"([1-9][0-9]{0,8})"')


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


_IfMatch = Annotated[
    str | None,
    Omittable(),
    Header(
        alias="If-Match",
        description="The `ETag` of the version you read. If there is a later one, nothing changes but the answer: 412.",
    ),
]


@dataclass(frozen=True)
class Precondition:
    """What the caller named. It is looked at when everything else about the request fits."""

    if_match: str | None

    @property
    def version_if_any(self) -> int | None:
        """The version the caller read, if they name one. ``*`` names none: it is how changes get lost.

        Raises:
            Stale: it is not written as in ``ETag``, and so was never a version of this.
        """
        if self.if_match is None or self.if_match.strip() == "*":
            return None
        found = _TAG.fullmatch(self.if_match.strip())
        if found is None:
            raise Stale("If-Match does not name a version. Send it as you got it in ETag.")
        return int(found[1])

    @property
    def version(self) -> int:
        """The same where it must be named.

        Raises:
            PreconditionRequired: none is.
        """
        if (named := self.version_if_any) is None:
            raise PreconditionRequired("Send If-Match with the ETag of the version you read.")
        return named


async def _precondition(if_match: _IfMatch = None) -> Precondition:
    return Precondition(if_match)


IfMatch = Annotated[Precondition, Depends(_precondition)]
