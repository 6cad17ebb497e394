"""Who signs in next without the page: a queue, so that a client can be driven through the real protocol unattended."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Self

from pydantic import BaseModel, ConfigDict, model_validator


class SignIn(BaseModel):
    """How one authorization request is answered: somebody signs in, or nobody does."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    user: str | None = None
    """Username."""
    organization: str | None = None
    """Id or slug of one of theirs; the first active one, unless the request asks for another."""
    error: str | None = None
    """What the client is told instead, such as ``access_denied`` (RFC 6749 §4.1.2.1)."""
    description: str = "the sign-in was refused"

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        if (self.user is None) == (self.error is None):
            raise ValueError("give either user or error")
        return self


class SignInQueue:
    """First in, first out. Empty, which is the rule, people are shown the page."""

    def __init__(self) -> None:
        self._waiting: deque[SignIn] = deque()

    def add(self, sign_ins: Iterable[SignIn]) -> None:
        """Behind those that wait already."""
        self._waiting.extend(sign_ins)

    def take(self) -> SignIn | None:
        """The next one, which is used up."""
        return self._waiting.popleft() if self._waiting else None

    def clear(self) -> None:
        """Nobody waits any more."""
        self._waiting.clear()

    @property
    def waiting(self) -> tuple[SignIn, ...]:
        """Those that have not been used."""
        return tuple(self._waiting)
