"""The query of a request, before anything is read from it: what only some readers would understand is refused."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import get_origin
from urllib.parse import unquote_to_bytes

from fastapi import Request
from fastapi.dependencies.models import Dependant
from pydantic import BaseModel

from services.shared.problems import Flaw, Invalid, UriTooLong

LONGEST = 8 * 1024
"""Bytes of path and query together, as RFC 9110 §4.1 asks for at least."""

MOST_FLAWS = 20
"""A thousand wrong names are not answered with as many sentences."""

LONGEST_POINTER = 100
"""Characters: a wrong name is part of it."""


def parameters(dependant: Dependant) -> Mapping[str, bool]:
    """The names a route takes in its query, and whether one may come several times. Here a query is always a model."""
    models: list[type[BaseModel]] = [field.field_info.annotation for field in dependant.query_params]  # type: ignore[misc]
    return {
        field.alias or name: get_origin(field.annotation) is list
        for model in models
        for name, field in model.model_fields.items()
    }


def check(request: Request, known: Mapping[str, bool]) -> None:
    """Refuse what the framework would overlook.

    Raises:
        UriTooLong: more than `LONGEST`.
        Invalid: a name nobody knows, a single value given twice, or text that is not UTF-8.
    """
    raw: bytes = request.scope["query_string"]
    if len(raw) + len(request.scope["raw_path"]) > LONGEST:
        raise UriTooLong(f"Path and query may have {LONGEST} bytes at most.")
    try:
        unquote_to_bytes(raw).decode()
    except UnicodeDecodeError:
        raise _invalid([Flaw(pointer="query", detail="It is not UTF-8.")]) from None
    times = Counter(name for name, _ in request.query_params.multi_items())
    flaws = [
        Flaw(
            pointer=f"query.{name}"[:LONGEST_POINTER],
            detail="Give it once." if name in known else "There is no such parameter.",
        )
        for name, count in times.items()
        if name not in known or (count > 1 and not known[name])
    ]
    if flaws:
        raise _invalid(flaws[:MOST_FLAWS])


def _invalid(flaws: list[Flaw]) -> Invalid:
    return Invalid("The query does not fit the schema.", errors=flaws)
