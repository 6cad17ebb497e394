"""``GET /readyz``: can this service do its work, or does something it needs not answer?"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from services.shared.problems import Flaw, Unavailable


@dataclass(frozen=True)
class Readiness:
    """What the api needs. Each tells whether it answers, and comes to an end by itself, and soon."""

    needs: Mapping[str, Callable[[], Awaitable[bool]]]

    async def check(self) -> None:
        """Ask all of them at once.

        Raises:
            Unavailable: it names those that do not answer.
        """
        answers = await asyncio.gather(*(answers() for answers in self.needs.values()))
        missing = [name for name, answered in zip(self.needs, answers, strict=True) if not answered]
        if missing:
            flaws = [Flaw(pointer=name, detail="It does not answer.") for name in missing]
            raise Unavailable(f"Not answering now: {', '.join(missing)}.", errors=flaws)
