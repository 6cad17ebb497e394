"""What a benchmark found, in a form that people, CI and later comparisons read alike."""

from __future__ import annotations

import math
import os
import platform
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, TypeAlias

import psutil

Better: TypeAlias = Literal["lower", "higher"]
PERCENT = 100


@dataclass(frozen=True)
class Figure:
    """One measure: median and 95th percentile of ``n`` samples, and what it is meant to be.

    ``peer`` is what another tool needs for the same, in the same unit and the same run; None when there is none.
    """

    bench: str
    figure: str
    unit: str
    median: float
    p95: float
    n: int
    target: float | None = None
    peer: float | None = None
    better: Better = "lower"

    @classmethod
    def of(
        cls, name: str, unit: str, samples: Sequence[float], *, target: float | None, better: Better = "lower"
    ) -> Figure:
        """The figure ``BENCH/NAME`` of some samples."""
        bench, _, figure = name.partition("/")
        median, p95 = round(statistics.median(samples), 3), round(percentile(samples, 95), 3)
        return cls(bench, figure, unit, median, p95, len(samples), target, better=better)

    @property
    def met(self) -> bool:
        """Whether the median is as good as it is meant to be; without a target it always is."""
        if self.target is None:
            return True
        return self.median <= self.target if self.better == "lower" else self.median >= self.target


def percentile(samples: Sequence[float], percent: float) -> float:
    """The smallest sample that is at least as large as ``percent`` of all (nearest rank)."""
    ordered = sorted(samples)
    return ordered[max(0, math.ceil(len(ordered) * percent / PERCENT) - 1)]


def machine() -> dict[str, Any]:
    """What explains a figure: the processors, the memory, the system, and how busy it is."""
    return {
        "processors": os.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "python": platform.python_version(),
        "load": [round(each, 2) for each in psutil.getloadavg()],
    }


def document(figures: Sequence[Figure]) -> dict[str, Any]:
    """What ``--json`` prints."""
    return {"machine": machine(), "figures": [asdict(figure) for figure in figures]}
