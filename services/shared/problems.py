"""Errors as the field names them, and how they look on the wire: RFC 9457 ``application/problem+json``."""
# ruff: noqa: N818 - the classes are named like the statuses and codes they stand for

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, ClassVar

from pydantic import BaseModel, Field
from starlette.responses import Response

MEDIA_TYPE = "application/problem+json"

_TITLES = {413: "Content Too Large", 422: "Unprocessable Content"}
"""As RFC 9110 calls them; before Python 3.13 the standard library has other names."""


class Flaw(BaseModel):
    """One thing wrong with a request."""

    pointer: str = Field(description="Where: `query.limit`, `body.title`, `path.key`.")
    detail: str = Field(description="What is wrong there.")


class Problem(BaseModel):
    """An RFC 9457 problem. `code` is what a program should look at; `detail` is for people."""

    type: str = Field(description="A URI that identifies the kind of problem (RFC 9457 §3.1.1).")
    title: str
    status: int
    detail: str
    code: str
    errors: list[Flaw] | None = Field(default=None, description="Given with `invalid`: all that is wrong at once.")


class ProblemError(Exception):
    """An error its caller is told about. A kind of error is a subclass; its text says what was refused and why."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal"
    says: ClassVar[str] = "The service failed."
    headers: ClassVar[tuple[str, ...]] = ()
    """Headers every answer of this kind carries, for the schema."""
    usual_headers: ClassVar[Mapping[str, str]] = {}
    """What they say unless told otherwise."""

    def __init__(
        self, detail: str, *, headers: Mapping[str, str] | None = None, errors: list[Flaw] | None = None
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.sent_headers = {**self.usual_headers, **(headers or {})}
        self.errors = errors

    def response(self) -> Response:
        """This error as an answer."""
        problem = Problem(
            type=f"urn:dress-rehearsal:problem:{self.code}",
            title=_TITLES.get(self.status) or HTTPStatus(self.status).phrase,
            status=self.status,
            detail=self.detail,
            code=self.code,
            errors=self.errors,
        )
        body = problem.model_dump_json(exclude_none=True)
        return Response(body, self.status, headers=self.sent_headers, media_type=MEDIA_TYPE)


class Malformed(ProblemError):
    """The body is not JSON as RFC 8259 and I-JSON (RFC 7493) have it."""

    status, code, says = 400, "malformed", "The body could not be read."


class Unauthenticated(ProblemError):
    """No bearer token, or one that is not valid here (RFC 6750 §3.1). The answer names the scheme."""

    status, code, says = 401, "unauthenticated", "A valid access token is missing."
    headers = ("WWW-Authenticate",)


class Forbidden(ProblemError):
    """The caller is known, and may not do this."""

    status, code, says = 403, "forbidden", "The caller's role does not allow this, or the token lacks a scope."


class InsufficientScope(Forbidden):
    """The token lacks a scope that a new sign-in could bring (RFC 6750 §3.1)."""

    code = "insufficient_scope"


class NotFound(ProblemError):
    """There is no such thing, or it belongs to another tenant: the two look the same."""

    status, code, says = 404, "not_found", "There is no such thing for this caller."


class MethodNotAllowed(ProblemError):
    """The path exists, the method does not. The answer lists those that do (RFC 9110 §15.5.6)."""

    status, code, says = 405, "method_not_allowed", "Another method is needed."
    headers = ("Allow",)


class Conflict(ProblemError):
    """The request contradicts the present state."""

    status, code, says = 409, "conflict", "The present state does not allow this."


class Stale(ProblemError):
    """The precondition of the request does not hold any more (RFC 9110 §15.5.13)."""

    status, code, says = 412, "stale", "It was changed since the version that If-Match names; read it again."


class TooLarge(ProblemError):
    """The body is longer than the service reads."""

    status, code, says = 413, "too_large", "The body is too large."


class UriTooLong(ProblemError):
    """The target of the request is longer than the service reads (RFC 9110 §15.5.15)."""

    status, code, says = 414, "uri_too_long", "The path and query are too long."


class UnsupportedMediaType(ProblemError):
    """The body is not declared as JSON."""

    status, code, says = 415, "unsupported_media_type", "The body must be declared as application/json."


class Invalid(ProblemError):
    """The request can be read, and breaks the schema; ``errors`` says where."""

    status, code, says = 422, "invalid", "The request does not fit the schema."


class PreconditionRequired(ProblemError):
    """A change must name the version it is meant for (RFC 6585 §3)."""

    status, code, says = 428, "precondition_required", "If-Match is missing: the version that was read."


class TooManyRequests(ProblemError):
    """The caller asks more often than they may (RFC 6585 §4); the answer says when to try again."""

    status, code, says = 429, "too_many_requests", "The caller asks too often."
    headers = ("Retry-After",)


class BadGateway(ProblemError):
    """Another service gave an answer that makes no sense."""

    status, code, says = 502, "bad_gateway", "A service behind this one gave an answer that makes no sense."
    headers = ("Retry-After",)
    usual_headers: ClassVar[Mapping[str, str]] = {"Retry-After": "5"}


class Unavailable(ProblemError):
    """Another service cannot be reached now; the answer says when to try again."""

    status, code, says = 503, "unavailable", "A service behind this one cannot be reached now."
    headers = ("Retry-After",)
    usual_headers: ClassVar[Mapping[str, str]] = {"Retry-After": "1"}


class GatewayTimeout(ProblemError):
    """Another service took too long: whether it did what it was asked is not known."""

    status, code, says = 504, "gateway_timeout", "A service behind this one did not answer in time."
    headers = ("Retry-After",)
    usual_headers: ClassVar[Mapping[str, str]] = {"Retry-After": "1"}


def problems(*kinds: type[ProblemError]) -> dict[int | str, dict[str, Any]]:
    """The ``responses`` of a route that may answer with ``kinds``. The schema ``Problem`` must be in the document."""
    return {
        kind.status: {
            "description": kind.says,
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
            **(
                {"headers": {name: {"required": True, "schema": {"type": "string"}} for name in kind.headers}}
                if kind.headers
                else {}
            ),
        }
        for kind in kinds
    }
