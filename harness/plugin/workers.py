"""An interruption of pytest, and what ties the workers of pytest-xdist to the pytest that started them.

Left alone they learn of its end only between two tests, or some ten seconds later.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading

import psutil
import pytest

from harness import leash, tether

STARTED_BY_EXECNET = "sys.stdin.readline()"


class Interruption:
    """Ctrl-C: whoever is in the middle of a test leaves it at once, and its fixtures clean up undisturbed."""

    def __init__(self, config: pytest.Config) -> None:
        self._full_trace = bool(config.option.fulltrace)
        if hasattr(config, "workerinput"):
            _follow()

    @pytest.hookimpl(tryfirst=True)
    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Pass it on to the workers. Of the traceback only the end is shown, and a whole one takes a second to make."""
        if not self._full_trace:
            excinfo.traceback = excinfo.traceback[-1:]
        if excinfo.errisinstance(KeyboardInterrupt):
            _interrupt_workers()


def _follow() -> None:
    """In a worker: end when the controlling pytest does, and let one Ctrl-C be enough.

    On a terminal a worker gets it twice, from the terminal and from the controlling pytest; the second would interrupt
    the fixtures that clean up after the first.
    """
    tether.follow_parent(yes=True)
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, _interrupt_once)


def _interrupt_once(*_: object) -> None:
    signal.signal(signal.SIGINT, lambda *_: None)
    raise KeyboardInterrupt


def _interrupt_workers() -> None:
    for process in leash.children(os.getpid()):
        with contextlib.suppress(psutil.Error):
            if STARTED_BY_EXECNET in " ".join(process.cmdline()):
                process.send_signal(signal.SIGINT)
