"""Two ways to the same thing, timed in turn: whatever slows the machine down slows both."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

from harness.bench.figures import Figure

CALLS, WARM_UP = 60, 60


def took_ms(ask: Callable[[], object]) -> float:
    """The milliseconds of one call."""
    began = time.perf_counter()
    ask()
    return (time.perf_counter() - began) * 1000


def measured(
    name: str, ours: Callable[[], object], theirs: Callable[[], object], *, ratio: str, target: float, rounds: int
) -> Iterator[Figure]:
    """What ours takes, with the other as its peer, and how many times as long that is, round by round.

    ``name`` and ``ratio`` are the names of the two figures, such as ``api/get_ticket`` (which gets its ``_ms``).
    """
    arms: tuple[tuple[Callable[[], object], list[float]], ...] = ((ours, []), (theirs, []))
    for ask, _ in arms:
        for _ in range(WARM_UP):
            ask()
    for number in range(rounds):
        for ask, medians in arms[:: 1 if number % 2 else -1]:
            medians.append(statistics.median(took_ms(ask) for _ in range(CALLS)))
    (_, mine), (_, others) = arms
    yield replace(Figure.of(f"{name}_ms", "ms", mine, target=None), peer=round(statistics.median(others), 3))
    ratios = [one / another for one, another in zip(mine, others, strict=True)]
    yield Figure.of(ratio, "×", ratios, target=target)
