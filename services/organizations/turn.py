"""Whoever changes somebody here and at the identity provider comes in turn, and does not wait for ever."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore, Lock

from services.shared.problems import Unavailable

PATIENCE_S = 5.0
"""How long somebody waits for those before them; as long as a writer waits for the database."""

MOST_WAITING = 4
"""Each of them keeps a thread of the server, which others need as well."""


class Turn:
    """One at a time, and a few who wait."""

    def __init__(self) -> None:
        self._places = BoundedSemaphore(1 + MOST_WAITING)
        self._lock = Lock()

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Alone, for the block.

        Raises:
            Unavailable: too many are waiting, or those before took too long. The block did not run.
        """
        if not self._places.acquire(blocking=False):
            raise _refused("too many of its changes are waiting for the identity provider")
        try:
            if not self._lock.acquire(timeout=PATIENCE_S):
                raise _refused("the identity provider is slow to confirm the change before")
            try:
                yield
            finally:
                self._lock.release()
        finally:
            self._places.release()


def _refused(why: str) -> Unavailable:
    return Unavailable(
        f"Nothing was changed: one change of the organization comes after the other, and {why}. Repeat the same call "
        "in a few seconds.",
        headers={"Retry-After": "5"},
    )
