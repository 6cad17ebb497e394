"""What an MCP server refuses, in the words of the REST interface."""

from __future__ import annotations

from mcp_types import CallToolResult
from pydantic import ValidationError

from services.shared.problems import (
    BadGateway,
    Conflict,
    Forbidden,
    InsufficientScope,
    Invalid,
    NotFound,
    Problem,
    ProblemError,
)

_DOMAIN_ERRORS: dict[str, type[ProblemError]] = {
    kind.code: kind for kind in (NotFound, Forbidden, InsufficientScope, Invalid, Conflict)
}


def of_tool(service: str, tool: str, result: CallToolResult) -> ProblemError:
    """The problem that a tool answered with instead of a result."""
    try:
        problem = Problem.model_validate(result.structured_content)
        return _DOMAIN_ERRORS[problem.code](problem.detail, errors=problem.errors)
    except (ValidationError, KeyError):
        return BadGateway(f"The {service} service could not carry out {tool}.")


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
