"""How often somebody may ask, if a limit is set: nobody else is slowed down by who asks too often."""

from __future__ import annotations

import math

from services.shared.problems import TooManyRequests


class RateLimit:
    """A bucket of requests for each caller, which fills up again in a minute; ``per_minute`` None is no limit."""

    def __init__(self, per_minute: int | None) -> None:
        self._per_minute = per_minute
        self._empty_since: dict[str, float] = {}
        """When a bucket that filled evenly would have been empty; those that are full by now are left out."""

    def take(self, caller: str, *, at: float) -> None:
        """Let one request of ``caller`` through at the time ``at`` (POSIX seconds).

        Raises:
            TooManyRequests: there is none left; it says in how many seconds there will be.
        """
        if self._per_minute is None:
            return
        each = 60 / self._per_minute
        empty = max(self._empty_since.get(caller, 0.0), at - 60)
        if empty > at:  # the clock was set back
            empty = at - 60
        if at - empty < each:
            seconds = math.ceil(each - (at - empty))
            raise TooManyRequests(
                f"The limit of {self._per_minute} requests a minute is reached.", headers={"Retry-After": str(seconds)}
            )
        self._empty_since = {who: since for who, since in self._empty_since.items() if at - 60 < since <= at}
        self._empty_since[caller] = empty + each
