"""What an MCP server refuses, in the words of the REST interface."""

from __future__ import annotations

from mcp_types import CallToolResult
from pydantic import ValidationError
from pydantic.alias_generators import to_camel

from services.shared.problems import (
    BadGateway,
    Conflict,
    Flaw,
    Forbidden,
    InsufficientScope,
    Invalid,
    NotFound,
    Problem,
    ProblemError,
    Stale,
    Unavailable,
)

_DOMAIN_ERRORS: dict[str, type[ProblemError]] = {
    kind.code: kind for kind in (NotFound, Forbidden, InsufficientScope, Invalid, Conflict, BadGateway, Unavailable)
}


_REFERENCES = frozenset({"arguments.assignee", "arguments.assignee_id", "arguments.team_id"})
"""What may be of the right form and still lead to nothing: no schema can say whom a ticket can be given to."""

_PLACES = {
    "key": "path.key",
    "user_id": "path.id",
    "idempotency_key": "header.Idempotency-Key",
    "expected_version": "header.If-Match",
    "assignee": "body.assigneeId",
    "after": "header.Last-Event-ID",
}


def of_tool(service: str, tool: str, result: CallToolResult) -> ProblemError:
    """The problem that a tool answered with instead of a result."""
    try:
        problem = Problem.model_validate(result.structured_content)
        kind = _DOMAIN_ERRORS[problem.code]
    except (ValidationError, KeyError):
        return BadGateway(f"The {service} service could not carry out {tool}.")
    flaws = problem.errors or []
    if kind is Conflict and any(flaw.pointer == "arguments.expected_version" for flaw in flaws):
        kind = Stale
    if kind is Invalid and flaws and all(flaw.pointer in _REFERENCES for flaw in flaws):
        kind = Conflict
    told = [Flaw(pointer=_pointer(flaw.pointer), detail=flaw.detail) for flaw in flaws]
    return kind(problem.detail, errors=told or None)


def _pointer(pointer: str) -> str:
    """Where in the request something is that is wrong in the arguments made of it."""
    argument, *deeper = pointer.removeprefix("arguments.").split(".")
    return ".".join([_PLACES.get(argument, f"body.{to_camel(argument)}"), *deeper])


def of_scope(service: str, challenge: str) -> InsufficientScope:
    """A missing scope, as the server's ``challenge`` names it."""
    return InsufficientScope(
        f"The {service} service needs a scope the token does not have.",
        headers={"WWW-Authenticate": _scope_challenge(challenge)},
    )


def _scope_challenge(challenge: str) -> str:
    """The part of a downstream challenge that is true for our caller too: which scope is missing (RFC 6750 §3)."""
    scope = next((part for part in challenge.split(",") if part.strip().startswith(("scope=", "Bearer scope="))), "")
    return ", ".join(filter(None, ['Bearer error="insufficient_scope"', scope.strip().removeprefix("Bearer ")]))
