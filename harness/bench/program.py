"""A program of other people that is measured beside ours: started, waited for, ended with all it started."""

from __future__ import annotations

import os
import subprocess
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil

from harness import leash
from harness.bootstrap import child_environment
from harness.errors import HarnessError
from harness.logbook import last_lines

LOOKS_S, LOG_LINES = 0.01, 20
OK = 200


@contextmanager
def started(
    command: Sequence[str | Path], *, env: Mapping[str, str], cwd: Path, log: Path, grace: float
) -> Iterator[subprocess.Popen[bytes]]:
    """The program, writing to ``log``, until the block ends; then it has ``grace`` seconds to go by itself."""
    with log.open("wb") as file:
        process = subprocess.Popen(
            [*map(str, command)], cwd=cwd, env={**child_environment(os.environ), **env},
            stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
    try:
        yield process
    finally:
        leash.end([psutil.Process(process.pid)], grace=grace)
        process.wait()


def await_answer(url: str, process: subprocess.Popen[bytes], log: Path, *, name: str, within: float) -> None:
    """Return as soon as ``url`` is answered with 200.

    Raises:
        HarnessError: the program has ended, or did not answer within so many seconds; with the end of its log.
    """
    deadline = time.monotonic() + within
    while not _answers(url):
        if process.poll() is not None or time.monotonic() > deadline:
            raise HarnessError(f"{name} did not start: no answer at {url}", evidence=last_lines(log, LOG_LINES))
        time.sleep(LOOKS_S)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=1) as answer:  # noqa: S310  # http, to this machine
            return bool(answer.status == OK)
    except OSError:
        return False
