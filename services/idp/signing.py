"""Signatures that take long, made beside the event loop: OpenSSL lets go of the interpreter while it makes one."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections import deque
from collections.abc import Callable
from queue import SimpleQueue
from typing import TypeAlias

AHEAD = 6
"""So many wait for the thread at most; from then on it is quicker to make one's own."""

THREAD = "signatures"
USUAL_SWITCH_S = sys.getswitchinterval()
SWITCH_S = 5e-5
"""After so long the thread, which has a signature and needs the next, gets its turn: less than one takes."""

Make: TypeAlias = Callable[[], bytes]


class Signatures:
    """Makes the first signature of each round of the loop on the spot, and has a thread make those that come with it.

    So whoever asks alone does not wait for a thread to wake up, and those who ask together use two processors.
    """

    def __init__(self) -> None:
        self._wanted: SimpleQueue[tuple[Make, asyncio.Future[bytes]] | None] = SimpleQueue()
        self._made: deque[tuple[asyncio.Future[bytes], bytes | Exception]] = deque()
        self._thread: threading.Thread | None = None
        self._alone, self._told = True, False

    async def made(self, make: Make) -> bytes:
        """What ``make`` returns. Raises what it raises."""
        if self._alone:
            self._alone = False
            asyncio.get_running_loop().call_soon(self._begin_round)
            return make()
        if self._wanted.qsize() >= AHEAD:
            return make()
        self._start()
        future: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._wanted.put((make, future))
        return await future

    def close(self) -> None:
        """Make what is wanted, and no more."""
        if self._thread is not None:
            self._wanted.put(None)
            self._thread.join()
            self._thread = None
            sys.setswitchinterval(USUAL_SWITCH_S)

    def _start(self) -> None:
        if self._thread is None:
            sys.setswitchinterval(SWITCH_S)
            self._thread = threading.Thread(target=self._work, name=THREAD, daemon=True)
            self._thread.start()

    def _begin_round(self) -> None:
        self._alone = True

    def _work(self) -> None:
        while (wanted := self._wanted.get()) is not None:
            make, future = wanted
            try:
                self._made.append((future, make()))
            except Exception as error:  # noqa: BLE001  # raised where it is awaited
                self._made.append((future, error))
            if not self._told:
                self._told = True
                future.get_loop().call_soon_threadsafe(self._deliver)

    def _deliver(self) -> None:
        self._told = False  # first: what is made from now on is told of again
        while self._made:
            future, made = self._made.popleft()
            if future.done():  # whoever waited is gone
                continue
            if isinstance(made, Exception):
                future.set_exception(made)
            else:
                future.set_result(made)
