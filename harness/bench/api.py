"""What a request of the REST API costs, beside the tool call that stands behind it, and with many connections."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING, Any

import psutil

from harness import launch
from harness.bench import beside
from harness.bench.figures import Figure, percentile
from harness.bench.traffic import REQUESTS, Traffic
from harness.errors import HarnessError
from harness.mcp_client import McpClient

if TYPE_CHECKING:
    from harness.person import Person

RATIO, LIST_P95_MS, MEMORY_MIB = 2.5, 40.0, 170.0
ROUNDS = 9
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
        took = [beside.took_ms(partial(_ask, person, "/api/tickets", {"limit": PAGE})) for _ in range(rounds * 5)]
        yield Figure.of("api/list_ms", "ms", took, target=None)
        yield Figure.of("api/list_p95_ms", "ms", [percentile(took, 95)], target=LIST_P95_MS)
        traffic = Traffic(stack)
        say(f"{KEY} with many connections")
        yield from traffic.rate(f"/api/tickets/{KEY}", rounds=rounds)
        yield from traffic.growth(requests=REQUESTS, say=say)
        used = psutil.Process(stack.describe()["services"]["api"]["pid"]).memory_info().rss / 2**20
        yield Figure.of("api/memory_mib", "MiB", [used], target=MEMORY_MIB)


def _beside_tool(person: Person, direct: McpClient, rounds: int) -> Iterator[Figure]:
    return beside.measured(
        "api/get_ticket",
        partial(_ask, person, f"/api/tickets/{KEY}", {}),
        partial(direct.call_tool, "get_ticket", {"key": KEY}),
        ratio="api/get_ticket_to_tool_ratio",
        target=RATIO,
        rounds=rounds,
    )


def _ask(person: Person, path: str, query: Mapping[str, Any]) -> None:
    answer = person.api.get(path, params=dict(query))
    if not answer.is_success:
        raise HarnessError(f"GET {path} is refused", evidence=f"{answer.status_code} {answer.text[:200]}")
