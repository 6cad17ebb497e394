"""``Idempotency-Key`` on POST: the service behind knows which keys were used; here it is known which are in use."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

from fastapi import Header
from pydantic import StringConstraints

from services.api.parameters import Omittable
from services.shared.problems import Conflict

IdempotencyKey = Annotated[
    Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=r"^[\x21-\x7e]+$")] | None,
    Omittable(),
    Header(
        alias="Idempotency-Key",
        description=(
            "Any text of your own, new for every new wish (draft-ietf-httpapi-idempotency-key-header): sent again, the "
            "request is done once and answered so. 422 with another body, 409 while the first one is under way."
        ),
    ),
]


class InFlight(Conflict):
    """The first request with that key has not been answered yet."""

    code = "in_flight"


class UnderWay:
    """The requests with a key that are being worked on."""

    def __init__(self) -> None:
        self._keys: set[tuple[str | None, ...]] = set()

    @contextmanager
    def begun(self, *name: str | None) -> Iterator[None]:
        """One of them, in this block.

        Raises:
            InFlight: there is one of that name already.
        """
        if name in self._keys:
            raise InFlight("A request with this Idempotency-Key is under way. Wait for its answer, then ask again.")
        self._keys.add(name)
        try:
            yield
        finally:
            self._keys.discard(name)
