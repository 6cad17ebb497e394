"""What a request of the REST API costs, beside the tool call that stands behind it."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import psutil

from harness import launch
from harness.bench.figures import Figure, percentile
from harness.errors import HarnessError
from harness.mcp_client import McpClient

if TYPE_CHECKING:
    from harness.person import Person

RATIO, LIST_P95_MS, MEMORY_MIB = 2.5, 40.0, 170.0
ROUNDS, REQUESTS, WARM_UP = 9, 60, 60
WHO, KEY, PAGE = "alice", "ACME-1", 50

Progress = Callable[[str], None]


def measure(*, rounds: int, say: Progress) -> Iterator[Figure]:
    """Every figure; ``say`` is told what is being measured.

    Raises:
        HarnessError: something did not start, or a request was refused.
    """
    needed = ("idp", "ticketing", "organizations", "api")
    with launch.running(only=needed, backend="process") as stack:
        person = stack.sign_in(WHO)
        with closing(McpClient(person.mcp("ticketing"))) as direct:
            say(f"{KEY} by the REST API and by its tool")
            yield from _beside_tool(person, direct, rounds)
        say(f"lists of {PAGE} tickets")
        took = [_request(person, "/api/tickets", {"limit": PAGE}) for _ in range(rounds * 5)]
        yield Figure.of("api/list_ms", "ms", took, target=None)
        yield Figure.of("api/list_p95_ms", "ms", [percentile(took, 95)], target=LIST_P95_MS)
        used = psutil.Process(stack.describe()["services"]["api"]["pid"]).memory_info().rss / 2**20
        yield Figure.of("api/memory_mib", "MiB", [used], target=MEMORY_MIB)


def _beside_tool(person: Person, direct: McpClient, rounds: int) -> Iterator[Figure]:
    """Rounds in turn, so that whatever slows the machine down slows both."""

    def by_rest() -> float:
        return _request(person, f"/api/tickets/{KEY}", {})

    def by_tool() -> float:
        began = time.perf_counter()
        direct.call_tool("get_ticket", {"key": KEY})
        return (time.perf_counter() - began) * 1000

    arms: tuple[tuple[Callable[[], float], list[float]], ...] = ((by_rest, []), (by_tool, []))
    for ask, _ in arms:
        for _ in range(WARM_UP):
            ask()
    for number in range(rounds):
        for ask, medians in arms[:: 1 if number % 2 else -1]:
            medians.append(statistics.median(ask() for _ in range(REQUESTS)))
    (_, rest), (_, tool) = arms
    yield replace(Figure.of("api/get_ticket_ms", "ms", rest, target=None), peer=round(statistics.median(tool), 3))
    ratios = [one / another for one, another in zip(rest, tool, strict=True)]
    yield Figure.of("api/get_ticket_to_tool_ratio", "×", ratios, target=RATIO)


def _request(person: Person, path: str, query: Mapping[str, Any]) -> float:
    """The milliseconds of one request."""
    began = time.perf_counter()
    answer = person.api.get(path, params=dict(query))
    took = (time.perf_counter() - began) * 1000
    if not answer.is_success:
        raise HarnessError(f"GET {path} is refused", evidence=f"{answer.status_code} {answer.text[:200]}")
    return took
