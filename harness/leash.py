"""How a whole process tree is found and ended. Such platform code is only here and in :mod:`harness.tether`."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Container, Iterable
from functools import cache
from pathlib import Path

import psutil

KILLED_IN_S = 2.0
"""How long a killed process may take to be gone."""


def children(pid: int) -> list[psutil.Process]:
    """The processes whose parent is ``pid``; on Linux without looking at every process there is."""
    try:
        told = [path.read_text(encoding="ascii") for path in Path(f"/proc/{pid}/task").glob("*/children")]
    except OSError:
        told = []
    if not told:  # it is gone, or the system does not tell
        try:
            return psutil.Process(pid).children()
        except psutil.NoSuchProcess:
            return []
    found = []
    for child in (int(each) for text in told for each in text.split()):
        with contextlib.suppress(psutil.NoSuchProcess):
            found.append(psutil.Process(child))
    return found


def descendants(process: psutil.Process) -> list[psutil.Process]:
    """The children of ``process``, their children and so on."""
    found: list[psutil.Process] = []
    waiting = [process]
    while waiting:
        below = children(waiting.pop().pid)
        found += below
        waiting += below
    return found


def terminate(processes: Iterable[psutil.Process]) -> None:
    """SIGTERM to each that still lives; one that stands still goes on, so that it can obey."""
    for process in processes:
        with contextlib.suppress(psutil.Error):
            process.terminate()
            process.resume()


def end(processes: Iterable[psutil.Process], *, grace: float) -> None:
    """End processes and all their descendants: SIGTERM, after ``grace`` seconds SIGKILL. Returns when all are gone."""
    doomed: dict[int, psutil.Process] = {}
    for process in processes:
        if _lives(process):
            doomed |= {child.pid: child for child in descendants(process)}
            doomed[process.pid] = process
    terminate(doomed.values())
    if wait_gone(doomed.values(), timeout=grace):
        return
    for process in doomed.values():
        with contextlib.suppress(psutil.Error):
            process.kill()
    wait_gone(doomed.values(), timeout=KILLED_IN_S)


def end_children(*, grace: float, spared: Container[int] = ()) -> None:
    """End all children of this process except the pids ``spared``, and the orphans that come to it by that."""
    deadline = time.monotonic() + grace + KILLED_IN_S
    while left := [child for child in children(os.getpid()) if child.pid not in spared and _lives(child)]:
        end(left, grace=grace)
        grace = 0.0
        if time.monotonic() > deadline:
            return


def marked(variable: str, mark: str) -> list[psutil.Process]:
    """Every process, but this and those it came from, in whose environment ``variable`` begins with ``mark``."""
    above = {os.getpid(), *(parent.pid for parent in psutil.Process().parents())}
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.pid not in above and process.environ().get(variable, "").startswith(mark):
                found.append(process)
    return found


def wait_gone(processes: Iterable[psutil.Process], *, timeout: float) -> bool:
    """Wait until all are gone or zombies; False when some are still there after ``timeout`` seconds.

    Never reaps: that would take the exit code from the parent who waits for it.
    """
    alive = list(processes)
    deadline = time.monotonic() + timeout
    while alive := [process for process in alive if _lives(process)]:
        if time.monotonic() >= deadline:
            return False
        time.sleep(0.01)
    return True


def _lives(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def same_process(pid: int, created: float) -> psutil.Process | None:
    """The live process ``pid`` if it is still the one that was created at ``created`` (pids are reused)."""
    with contextlib.suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        if _created(process) == created and _lives(process):
            return process
    return None


def created(pid: int) -> float:
    """When the process was created: with the pid, its identity. 0 when it is gone.

    On Linux in ticks since the machine was started, which no setting of its clock changes.
    """
    try:
        return _created(psutil.Process(pid))
    except psutil.NoSuchProcess:
        return 0.0


def _created(process: psutil.Process) -> float:
    if sys.platform != "linux":
        return process.create_time()
    try:
        told = Path(f"/proc/{process.pid}/stat").read_bytes()
    except OSError as error:
        raise psutil.NoSuchProcess(process.pid) from error
    return float(told.rpartition(b")")[2].split()[19])  # starttime, the 22nd field (proc_pid_stat(5))


@cache
def boot() -> str:
    """Which run of the machine this is: pids and ticks of another one say nothing. Empty where it does not tell."""
    path = Path("/proc/sys/kernel/random/boot_id")
    return path.read_text(encoding="ascii").strip() if path.exists() else ""
