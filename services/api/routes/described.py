"""What routes say of their answers in the document, besides the bodies."""

from __future__ import annotations

from typing import Any

from services.api.conditions import NOT_MODIFIED
from services.shared.problems import (
    Conflict,
    Malformed,
    NotFound,
    PreconditionRequired,
    Stale,
    TooLarge,
    UnsupportedMediaType,
    problems,
)

_TEXTS = {
    "ETag": "Its version as an entity tag (RFC 9110 §8.8.3).",
    "Location": "Where it is.",
}


def headers(*names: str) -> dict[str, Any]:
    """Headers that are always sent."""
    return {
        "headers": {
            name: {"description": _TEXTS[name], "required": True, "schema": {"type": "string"}} for name in names
        }
    }


BODY = problems(Malformed, TooLarge, UnsupportedMediaType)
"""Refusals of a body, besides those that do not fit the schema."""

VERSIONED: dict[int | str, dict[str, Any]] = {200: headers("ETag")}

READ: dict[int | str, dict[str, Any]] = {
    **VERSIONED,
    NOT_MODIFIED: {"description": "It is still one of the versions in If-None-Match.", **headers("ETag")},
    **problems(NotFound),
}
"""Of something that has a version."""

CREATED: dict[int | str, dict[str, Any]] = {201: headers("ETag", "Location"), **BODY, **problems(Conflict)}

CHANGED: dict[int | str, dict[str, Any]] = {
    **VERSIONED,
    **BODY,
    **problems(NotFound, Conflict, Stale, PreconditionRequired),
}
"""Of something whose version the caller has to name."""


def links(name: str, at: str, *operations: str) -> dict[str, Any]:
    """That the parameter ``name`` of ``operations`` is what stands ``at`` a place of the body (OpenAPI 3.1, Link)."""
    return {"links": {operation: {"operationId": operation, "parameters": {name: at}} for operation in operations}}


def linked(responses: dict[int | str, dict[str, Any]], status: int, links: dict[str, Any]) -> dict[int | str, Any]:
    """``responses`` with these links at one of them."""
    return {**responses, status: {**responses[status], **links}}
