"""The start of a system as a timeline: what each service waited for, and the chain that decided how long it took."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

BAR = 30
WAITS, STARTS = "·", "█"


def process_began() -> float:
    """When this process was created, in seconds of the monotonic clock; now where the system does not tell (Linux)."""
    now = time.monotonic()
    try:
        fields = Path("/proc/self/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        born = int(fields[19]) / os.sysconf("SC_CLK_TCK")  # starttime, field 22 of proc_pid_stat(5)
        return now - max(0.0, time.clock_gettime(time.CLOCK_BOOTTIME) - born)
    except (OSError, ValueError, AttributeError):
        return now


@dataclass(frozen=True)
class Beginning:
    """What ``up`` itself did before it asked for services, in seconds of the monotonic clock."""

    process: float
    command: float
    supervisor: float


@dataclass(frozen=True)
class Step:
    """One stretch of the start: when it was over, and how long it took. Seconds since the command began."""

    what: str
    over_at: float
    took: float


@dataclass(frozen=True)
class Start:
    """How one service came up. Seconds since the command began."""

    service: str
    asked: float
    spawned: float
    healthy: float

    def bar(self, whole: float) -> str:
        """Its time on a line that stands for ``whole`` seconds: waiting for a process, then starting."""
        marks = [round(BAR * moment / whole) for moment in (self.asked, self.spawned, self.healthy)]
        begin, spawned, end = marks[0], marks[1], max(marks[2], marks[1] + 1)
        return " " * begin + WAITS * (spawned - begin) + STARTS * (end - spawned)


def starts(described: Mapping[str, Any], zero: float) -> list[Start]:
    """The start of each healthy service, in the order in which they were healthy."""
    found = [
        Start(
            name,
            asked=service["asked_at"] - zero,
            spawned=service["spawned_at"] - zero,
            healthy=service["asked_at"] + service["ready_s"] - zero,
        )
        for name, service in described["services"].items()
        if service["ready_s"] is not None
    ]
    return sorted(found, key=lambda start: start.healthy)


def chain(beginning: Beginning, service: Start) -> list[Step]:
    """The steps that ended when ``service`` was healthy, each of which had to wait for the one before."""
    moments = [
        ("interpreter and command line", beginning.command - beginning.process),
        ("supervisor", beginning.supervisor - beginning.process),
        ("web interface checked, ports bound", service.asked),
        ("a process for it", service.spawned),
        (f"{service.service} healthy", service.healthy),
    ]
    before = [0.0, *(moment for _, moment in moments)]
    return [Step(what, moment, moment - begun) for (what, moment), begun in zip(moments, before, strict=False)]
