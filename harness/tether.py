"""What ties a process to its parent's life. Every service loads it, so it needs nothing but the standard library."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36


def die_with_parent(leash: int) -> None:
    """End this process when its parent is gone: when ``leash``, the read end of a pipe the parent holds, closes.

    On Linux the kernel does it, at once and for a process too busy or too broken to notice: SIGKILL at the parent's
    death (prctl(2); it follows the *thread* that spawned us, so parents spawn from their main thread).
    """
    if sys.platform == "linux":
        follow_parent(yes=True)
        return

    def watch() -> None:
        while True:
            try:
                if not os.read(leash, 1):
                    break
            except OSError:
                break
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name="leash", daemon=True).start()


def follow_parent(*, yes: bool) -> None:
    """Have the kernel kill this process when its parent dies, or no longer (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL if yes else 0, 0, 0, 0)


def adopt_orphans() -> None:
    """Become the parent of descendants whose own parent dies, so that none of them escapes (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
