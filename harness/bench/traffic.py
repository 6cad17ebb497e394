"""The REST API with many connections: what one worker can do, what it costs, and whether it keeps anything of it."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import psutil

from harness.bench import load
from harness.bench.figures import Figure
from harness.bench.load import Burst

if TYPE_CHECKING:
    from harness.stack import Stack

PER_SECOND, GROWTH_MIB = 250.0, 2.0
CPU_MS = 1000 / PER_SECOND
CONNECTIONS, ROUND_S, WARM_UP = 16, 1.0, 2
KEPT, REQUESTS = 5_000, 50_000
"""After the first, whatever is kept of the last requests is full; over the second, the api must not grow."""

PARTS = 5
"""Of these requests, after each of which is said how it goes."""

CALLERS = ("alice", "adam", "olivia", "victor")
PATHS = (
    "/api/tickets/ACME-1",
    "/api/tickets?limit=20",
    "/api/tickets/ACME-1/comments",
    "/api/tickets/ACME-1/history",
    "/api/tickets/stats?groupBy=status",
    "/api/me",
)
TOKEN_S = 4 * 3600
"""Longer than all of it: a caller who signs in anew is another one to the service."""

Progress = Callable[[str], None]


class Traffic:
    """Requests of several callers to the api of a running system."""

    def __init__(self, stack: Stack, *, connections: int = CONNECTIONS) -> None:
        self._connections = connections
        services = stack.describe()["services"]
        self._processes = {name: psutil.Process(services[name]["pid"]) for name in ("api", "ticketing")}
        self._url = urlsplit(stack.url("api"))
        idp = stack.control("idp")
        self._tokens = {who: idp.mint(user=who, audience=stack.url("api"), ttl=TOKEN_S)["token"] for who in CALLERS}

    def rate(self, path: str, *, rounds: int) -> Iterator[Figure]:
        """Requests per second of one caller for one thing, and the processor time of each."""
        for _ in range(WARM_UP):
            self._send(CALLERS[0], path)
        rates: list[float] = []
        cost: dict[str, list[float]] = {name: [] for name in self._processes}
        for _ in range(rounds):
            before = self._cpu_ms()
            answered = self._send(CALLERS[0], path)
            rates.append(answered / ROUND_S)
            for name, spent in self._cpu_ms().items():
                cost[name].append((spent - before[name]) / answered)
        yield Figure.of("api/requests_per_s", "/s", rates, target=PER_SECOND, better="higher")
        for name, spent_ms in cost.items():
            yield Figure.of(f"api/cpu_ms_of_{name}", "ms", spent_ms, target=CPU_MS)

    def growth(self, *, requests: int, say: Progress) -> Iterator[Figure]:
        """How many MiB more the services hold after so many requests."""
        every = itertools.cycle(itertools.product(CALLERS, PATHS))
        say(f"{KEPT:,} requests of several callers")
        self._send_all(every, KEPT)
        before = self._mib()
        for number in range(1, PARTS + 1):
            self._send_all(every, requests // PARTS)
            say(f"{requests // PARTS * number:,} of {requests:,} more, {self._in_words(before)}")
        for name, now in self._mib().items():
            target = GROWTH_MIB if name == "api" else None
            yield Figure.of(f"api/growth_of_{name}_mib", "MiB", [now - before[name]], target=target)

    def _send_all(self, every: Iterator[tuple[str, str]], requests: int) -> None:
        """Go on with the round of everybody's requests until there were so many answers."""
        while requests > 0:
            requests -= self._send(*next(every))

    def _send(self, who: str, path: str) -> int:
        """One round of the same request; how many answers there were."""
        head = [f"GET {path} HTTP/1.1", f"Host: {self._url.netloc}", f"Authorization: Bearer {self._tokens[who]}"]
        assert self._url.port is not None  # noqa: S101  # every service has one
        burst = Burst(self._url.port, "\r\n".join([*head, "", ""]), connections=self._connections, seconds=ROUND_S)
        return load.run(burst).answered

    def _cpu_ms(self) -> Mapping[str, float]:
        times = {name: process.cpu_times() for name, process in self._processes.items()}
        return {name: (each.user + each.system) * 1000 for name, each in times.items()}

    def _mib(self) -> Mapping[str, float]:
        return {name: process.memory_info().rss / 2**20 for name, process in self._processes.items()}

    def _in_words(self, before: Mapping[str, float]) -> str:
        return ", ".join(f"{name} {now:.1f} MiB ({now - before[name]:+.1f})" for name, now in self._mib().items())
