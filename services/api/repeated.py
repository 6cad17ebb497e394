"""Headers that come more than once: whoever reads the first of them overlooks what the others say."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from fastapi import Request
from fastapi.dependencies.models import Dependant

from services.api.conditions import IF_NONE_MATCH
from services.shared.problems import Flaw, Invalid


def single(dependant: Dependant) -> Collection[str]:
    """The headers a route takes that have one value: all but ``If-None-Match``, which may come in several lines."""
    return [name for name in _taken(dependant) if name != IF_NONE_MATCH]


def _taken(dependant: Dependant) -> Iterator[str]:
    for field in dependant.header_params:
        yield field.alias
    for each in dependant.dependencies:
        yield from _taken(each)


def check(request: Request, names: Collection[str]) -> None:
    """Refuse what would be read at random.

    Raises:
        Invalid: one of the headers was given twice.
    """
    twice = [name for name in names if len(request.headers.getlist(name)) > 1]
    if twice:
        flaws = [Flaw(pointer=f"header.{name}", detail="Give it once.") for name in twice]
        raise Invalid("The headers do not fit the schema.", errors=flaws)
