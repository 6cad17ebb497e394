"""A service that does not answer is not waited for by everybody: after some failures only a trial gets through."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import anyio
import httpx

from services.shared.problems import Unavailable

FAILURES = 3
"""Calls in a row without an answer, after which the circuit opens."""

PATIENCE_S = 1.0
"""Seconds that a caller waits for the outcome of somebody else's trial."""

PROBE_S = 0.5
"""Seconds that a service has for saying that it lives."""


def alive(http: httpx.AsyncClient, url: str) -> Callable[[], Awaitable[bool]]:
    """Whether the service at ``url`` says that it is healthy."""

    async def asked() -> bool:
        try:
            return (await http.get(f"{url}/healthz", timeout=PROBE_S)).is_success
        except httpx.HTTPError:
            return False

    return asked


class Circuit:
    """Closed while the service answers. Open, each call first asks whether the service lives: so it heals at once."""

    def __init__(self, service: str, alive: Callable[[], Awaitable[bool]]) -> None:
        """``alive`` must come to an end by itself, and soon."""
        self._service = service
        self._alive = alive
        self._failures = 0
        self._trial: anyio.Event | None = None

    def note(self, *, answered: bool) -> None:
        """How a call ended. Any answer will do, also one that the caller does not like."""
        self._failures = 0 if answered else self._failures + 1

    @asynccontextmanager
    async def admitted(self) -> AsyncIterator[None]:
        """Let a call through: the block is the call, and says by `note` how it ended.

        Raises:
            Unavailable: the circuit is open, and the service does not answer yet.
        """
        if self.open and self._trial is not None:
            with anyio.move_on_after(PATIENCE_S):
                await self._trial.wait()
        if not self.open:
            yield
            return
        if self._trial is not None:
            raise self._refusal()
        trial = self._trial = anyio.Event()
        try:
            if not await self._alive():
                raise self._refusal()
            yield
        finally:
            self._trial = None
            trial.set()

    @property
    def open(self) -> bool:
        """Whether it has not answered for a while."""
        return self._failures >= FAILURES

    def _refusal(self) -> Unavailable:
        return Unavailable(f"The {self._service} cannot be reached now (no answer for a while).")
