"""What a tool call costs: beside a bare FastMCP server, in a large world, and in memory."""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

from harness import launch, ports
from harness.bench import beside, program
from harness.bench.figures import Figure, percentile
from harness.bench.peers import GRACE_S, SERVERS, STARTS_IN_S
from harness.errors import HarnessError
from harness.mcp_client import McpClient

if TYPE_CHECKING:
    from harness.stack import Stack

RATIO, SEARCH_P95_MS, GROWTH, MEMORY_MIB = 1.25, 30.0, 1.0, 140.0
SAME_RESULT_GROWTH = 1.5
"""Where the result stays as it is, an index is a level deeper, and the machine is never quite the same."""

ROUNDS = 9
SMALL, LARGE = "base", "large"
WHO, KEY = "alice", "ACME-1"
SHORT_PAGE, LONG_PAGE = 10, 100

SEARCHES: Mapping[str, Mapping[str, Any]] = {
    "all": {},
    "open_and_urgent": {"status": ["open"], "priority": ["urgent"]},
    "a_common_word": {"query": "the"},
    "a_rare_word": {"query": "mirror writing"},
    "no_hit": {"query": "no ticket says this"},
    "a_word_and_a_status": {"query": "update", "status": ["pending", "in_progress"]},
    "of_one_person": {"assignee": "me"},
}
"""What people ask for, by name."""

Progress = Callable[[str], None]


def measure(*, rounds: int, say: Progress) -> Iterator[Figure]:
    """Every figure; ``say`` is told what is being measured.

    Raises:
        HarnessError: something did not start, or a call failed.
    """
    with _system(SMALL) as (stack, ticketing):
        say(f"{KEY} from ours and from a bare server")
        yield from _beside_bare(stack, ticketing, rounds)
        say(f"searches in the {SMALL} world")
        small = {name: _search(ticketing, wanted, rounds) for name, wanted in SEARCHES.items()}
        yield from _memory(stack)
    with _system(LARGE) as (_, ticketing):
        say(f"searches in the {LARGE} world")
        large = {name: _search(ticketing, wanted, rounds) for name, wanted in SEARCHES.items()}
        yield from _searching(small, large)
        say("short pages and long ones")
        yield _pages(ticketing, rounds)


@contextmanager
def _system(world: str) -> Iterator[tuple[Stack, McpClient]]:
    """Both MCP servers in processes of their own, and a kept client of the ticketing server."""
    with ExitStack() as opened:
        stack = opened.enter_context(
            launch.running(only=("ticketing", "organizations"), backend="process", world=world)
        )
        yield stack, opened.enter_context(closing(McpClient(stack.sign_in(WHO).mcp("ticketing"))))


@contextmanager
def _bare(database: Path, derived: Mapping[str, Any]) -> Iterator[McpClient]:
    """A kept client of the bare server, which reads the same file and is given what is not in it."""
    from fastmcp import Client  # noqa: PLC0415  # as in Person.mcp
    from fastmcp.client.transports import StreamableHttpTransport  # noqa: PLC0415

    with tempfile.TemporaryDirectory() as folder, closing(ports.reserve(0)) as reserved:
        reserved.lend()
        command = [sys.executable, str(SERVERS / "bare_mcp.py"), str(reserved.number), str(database)]
        command.append(json.dumps(derived))
        log, url = Path(folder, "log"), f"http://127.0.0.1:{reserved.number}"
        with program.started(command, env={}, cwd=Path(folder), log=log, grace=GRACE_S) as process:
            program.await_answer(f"{url}/healthz", process, log, name="the bare server", within=STARTS_IN_S)
            with closing(McpClient(Client(StreamableHttpTransport(f"{url}/mcp")))) as client:
                yield client


def _beside_bare(stack: Stack, ours: McpClient, rounds: int) -> Iterator[Figure]:
    asked = {"key": KEY}
    told = ours.call_tool("get_ticket", asked).structured_content
    with _bare(stack.folder / "ticketing.db", told) as bare:
        if bare.call_tool("get_ticket", asked).structured_content != told:
            raise HarnessError("the bare server answers otherwise than ours, so that their times tell nothing")
        yield from beside.measured(
            "mcp/get_ticket",
            partial(ours.call_tool, "get_ticket", asked),
            partial(bare.call_tool, "get_ticket", asked),
            ratio="mcp/get_ticket_to_bare_ratio",
            target=RATIO,
            rounds=rounds,
        )


def _memory(stack: Stack) -> Iterator[Figure]:
    for name in ("ticketing", "organizations"):
        client = McpClient(stack.sign_in(WHO).mcp(name))
        with closing(client):
            for tool in ("search_tickets",) if name == "ticketing" else ("whoami", "list_members"):
                _calls(client, tool, {}, beside.CALLS)
        used = psutil.Process(stack.describe()["services"][name]["pid"]).memory_info().rss / 2**20
        yield Figure.of(f"mcp/{name}_memory_mib", "MiB", [used], target=MEMORY_MIB)


def _search(client: McpClient, wanted: Mapping[str, Any], rounds: int) -> tuple[int, list[float]]:
    """How many it finds in all, and the milliseconds of each call."""
    total = client.call_tool("search_tickets", dict(wanted)).structured_content["total"]
    return total, _calls(client, "search_tickets", wanted, rounds * 5)


def _searching(
    small: Mapping[str, tuple[int, Sequence[float]]], large: Mapping[str, tuple[int, Sequence[float]]]
) -> Iterator[Figure]:
    everything = [each for _, took in large.values() for each in took]
    yield Figure.of("mcp/large_search_p95_ms", "ms", [percentile(everything, 95)], target=SEARCH_P95_MS)
    for name, (total, took) in large.items():
        few, before = small[name]
        yield replace(
            Figure.of(f"mcp/large_search_{name}_ms", "ms", took, target=None),
            peer=round(statistics.median(before), 3),
        )
        growth = statistics.median(took) / statistics.median(before) / max(1.0, total / max(1, few))
        yield Figure.of(f"mcp/growth_{name}", "×", [growth], target=GROWTH if total > few else SAME_RESULT_GROWTH)


def _pages(client: McpClient, rounds: int) -> Figure:
    """What a page ten times as long takes, over ten times the short one."""
    short, long = (
        statistics.median(_calls(client, "search_tickets", {"limit": limit}, rounds * 5))
        for limit in (SHORT_PAGE, LONG_PAGE)
    )
    return Figure.of("mcp/growth_of_page", "×", [long / short / (LONG_PAGE / SHORT_PAGE)], target=GROWTH)


def _calls(client: McpClient, tool: str, arguments: Mapping[str, Any], times: int) -> list[float]:
    """The milliseconds of so many calls, one after the other."""
    return [beside.took_ms(partial(client.call_tool, tool, dict(arguments))) for _ in range(times)]
