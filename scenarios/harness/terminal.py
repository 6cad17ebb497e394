"""A terminal of a given width, as the program in it meets one, and what it has shown so far."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Mapping

from harness.topology import ROOT

LINES = 24
SHOWS_WITHIN_S = 30.0
SEQUENCE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Terminal:
    """``python -m harness`` with some arguments, on a terminal of its own."""

    def __init__(self, *arguments: str, env: Mapping[str, str], columns: int = 80) -> None:
        self._ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, columns, 0, 0))
        self.shown = ""
        self.process = subprocess.Popen(
            [sys.executable, "-c", CONTROLLING, *arguments],
            cwd=ROOT, env={**env, "TERM": "xterm"}, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
        )  # fmt: skip
        os.close(theirs)

    @property
    def text(self) -> str:
        """All that was shown, without colours and movements of the cursor."""
        return SEQUENCE.sub("", self.shown).replace("\r", "")

    def press(self, key: str) -> None:
        """Type one key; control characters do what a terminal makes of them."""
        os.write(self._ours, key.encode())

    def wait_for(self, pattern: str) -> re.Match[str]:
        """Read until what was shown, colours included, matches ``pattern``."""
        deadline = time.monotonic() + SHOWS_WITHIN_S
        while not (found := re.search(pattern, self.shown)):
            if time.monotonic() > deadline or not self._read(deadline - time.monotonic()):
                raise AssertionError(f"{pattern!r} was never shown; but this:\n{self.shown}")
        return found

    def ended(self) -> int:
        """Read to the end; the exit code."""
        while self._read(SHOWS_WITHIN_S):
            pass
        return self.process.wait()

    def close(self) -> None:
        """Hang up, and end the program if that does not."""
        os.close(self._ours)
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait()

    def _read(self, within: float) -> bool:
        readable, _, _ = select.select([self._ours], [], [], max(0.0, within))
        try:
            chunk = os.read(self._ours, 1 << 16) if readable else b""
        except OSError:  # Linux' way to say that the other side is closed
            chunk = b""
        self.shown += chunk.decode("utf-8", "replace")
        return bool(chunk)


# The first terminal that a session leader opens becomes the one whose Ctrl-C it gets; ours is inherited, not opened.
CONTROLLING = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.executable, [sys.executable, "-m", "harness", *sys.argv[1:]])
"""
