"""A stack kept ready for whoever asks for one like it."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from harness import worlds
from harness.errors import HarnessError
from harness.stack_run import StackRun

AFTER_S = 0.02
"""Whoever has just been given a stack goes first."""

SHORT_GRACE_S = 0.25
"""For a stack whose data goes with it: there is nothing that its services could lose."""


@dataclass(frozen=True)
class Wish:
    """What makes two stacks alike."""

    services: tuple[str, ...]
    world: str
    seed: int
    bundle: str | None

    @classmethod
    def of(cls, asked: Mapping[str, Any], services: tuple[str, ...]) -> Wish | None:
        """What is asked for; None when a spare would not do, because the ports are given or it restarts by itself."""
        if asked.get("restarts") or any(number for number, *_ in asked["choices"].values()):
            return None
        return cls(services, worlds.mark(asked.get("world", worlds.DEFAULT)), asked.get("seed", 1), asked.get("bundle"))


class Spare:
    """One stack that starts, or has started, in the background."""

    def __init__(self, wish: Wish, make: Callable[[], StackRun], drop: Callable[[StackRun], Awaitable[None]]) -> None:
        """``drop`` is given a stack that is not to be had; it stops it."""
        self.wish, self._make, self._drop = wish, make, drop
        self.stack: StackRun | None = None
        self._starting = asyncio.get_running_loop().create_task(self._start())

    async def _start(self) -> None:
        await asyncio.sleep(AFTER_S)
        self.stack = self._make()
        await self.stack.start()

    async def settled(self) -> None:
        """Wait until it has started, or failed to."""
        await asyncio.wait([self._starting])

    async def take(self) -> StackRun | None:
        """The stack once it is healthy; None when it is not to be had, and it has been stopped then."""
        try:
            await self._starting
        except (HarnessError, OSError) as error:  # whoever starts one now meets the same, and tells it
            print(f"a spare stack did not start: {error}", file=sys.stderr)
        if self.stack is None:
            return None
        await self.stack.check()  # it has been a while
        if self.stack.healthy:
            return self.stack
        await self._drop(self.stack)
        return None

    async def discard(self) -> None:
        """Nobody will take it: stop it, and be it in the middle of its start."""
        self._starting.cancel()
        await asyncio.gather(self._starting, return_exceptions=True)
        if self.stack is not None:
            await self._drop(self.stack)
