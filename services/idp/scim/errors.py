"""What goes wrong, in SCIM's own error schema (RFC 7644 §3.12)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from services.idp.errors import NO_STORE

MEDIA_TYPE = "application/scim+json"
ERROR = "urn:ietf:params:scim:api:messages:2.0:Error"

ScimType = Literal[
    "invalidFilter", "invalidPath", "invalidSyntax", "invalidValue", "mutability", "noTarget", "uniqueness"
]
"""Table 9, as far as this provider says it."""


class ErrorBody(BaseModel):
    """RFC 7644 §3.12."""

    schemas: list[Literal["urn:ietf:params:scim:api:messages:2.0:Error"]]
    status: str
    scimType: ScimType | None = None  # noqa: N815 - the name on the wire
    detail: str


class ScimResponse(JSONResponse):
    """RFC 7644 §8.1."""

    media_type = MEDIA_TYPE


class ScimError(Exception):
    """``detail`` is for the client's developer."""

    def __init__(
        self, status: int, detail: str, *, kind: ScimType | None = None, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(detail)
        self.status, self.detail, self.kind = status, detail, kind
        self.headers = dict(headers or {})


async def as_scim(_request: Request, error: Exception) -> Response:
    """How ``ScimError`` looks to a client."""
    assert isinstance(error, ScimError)  # noqa: S101 - registered for this class only
    body = ErrorBody(schemas=[ERROR], status=str(error.status), scimType=error.kind, detail=error.detail)
    return ScimResponse(body.model_dump(exclude_none=True), error.status, headers=NO_STORE | error.headers)
