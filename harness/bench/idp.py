"""What tokens cost: client credentials at 16 connections, ours and other providers in turn, in short rounds."""

from __future__ import annotations

import base64
import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from typing import TypeAlias
from urllib.parse import urlencode, urlsplit

from harness.bench import load, ours, peers, registration
from harness.bench.figures import Figure
from harness.bench.load import Burst
from harness.bench.peers import PEERS, Running

RS256_RATIO, ES256_RATIO, CPU_MS, MEMORY_MIB = 1.2, 2.0, 1.1, 75.0
CONNECTIONS, ROUND_S, WARM_UP_S, ROUNDS = 16, 1.0, 3.0, 9
FASTEST = "oidc-provider"
COMPARABLE = (FASTEST, "oauth2-mock-server", "nanoidp")
"""Those that know client credentials."""

ALGORITHMS: Mapping[str, str] = {"rs256": registration.RS256, "es256": registration.ES256}
"""The resource for which tokens are signed so."""

ONLY_RS256 = ("oauth2-mock-server", "nanoidp")
Progress: TypeAlias = Callable[[str], None]


@dataclass
class Arm:
    """One provider with one algorithm, and what was measured of it, round by round."""

    provider: Running
    burst: Burst
    rates: list[float] = field(default_factory=list)
    cpu_ms: list[float] = field(default_factory=list)
    p99_ms: list[float] = field(default_factory=list)

    def run(self) -> None:
        """One round more."""
        before = self._cpu_s()
        outcome = load.run(self.burst)
        self.cpu_ms.append((self._cpu_s() - before) * 1000 / outcome.answered)
        self.rates.append(outcome.answered / self.burst.seconds)
        self.p99_ms.append(outcome.p99_ms)

    def _cpu_s(self) -> float:
        times = self.provider.process.cpu_times()
        return float(times.user + times.system)


def measure(*, rounds: int, others: Sequence[str], say: Progress) -> Iterator[Figure]:
    """Every figure, for ours and with the same of the first of ``others`` beside it.

    Raises:
        HarnessError: a provider could not be installed or started, or refused a token.
    """
    with ExitStack() as opened:
        say(f"starting {', '.join(('ours', *others))}")
        mine = opened.enter_context(ours.started())
        theirs = [opened.enter_context(peers.started(PEERS[name])) for name in others]
        arms = {(provider.name, name): arm(provider, name) for provider in (mine, *theirs) for name in _known(provider)}
        say("warming up")
        for each in arms.values():
            load.run(replace(each.burst, seconds=WARM_UP_S))
        for number in range(rounds):
            say(f"round {number + 1} of {rounds}")
            for each in list(arms.values())[:: 1 if number % 2 else -1]:
                each.run()
        memory = {provider.name: provider.process.memory_info().rss / 2**20 for provider in (mine, *theirs)}
    yield from _figures(arms, memory, mine.name, others[0])
    for name in others[1:]:
        yield _ratio(f"rs256_ratio_{name}", arms[mine.name, "rs256"], arms[name, "rs256"])


def _figures(
    arms: Mapping[tuple[str, str], Arm], memory: Mapping[str, float], mine: str, other: str
) -> Iterator[Figure]:
    for name in ALGORITHMS:
        one, another = arms[mine, name], arms.get((other, name))
        peer = None if another is None else round(statistics.median(another.rates), 1)
        yield replace(Figure.of(f"idp/{name}_tokens_per_s", "/s", one.rates, target=None, better="higher"), peer=peer)
    one, another = arms[mine, "rs256"], arms[other, "rs256"]
    yield _ratio("rs256_ratio", one, another, target=RS256_RATIO)
    if (other, "es256") in arms:
        yield _ratio("es256_ratio", arms[mine, "es256"], arms[other, "es256"], target=ES256_RATIO)
    yield _ratio("es256_to_their_rs256_ratio", arms[mine, "es256"], another)
    yield _beside("cpu_ms_per_rs256_token", "ms", one.cpu_ms, another.cpu_ms, target=CPU_MS)
    yield _beside("rs256_p99_ms", "ms", one.p99_ms, another.p99_ms, target=None)
    yield _beside("memory_after_load_mib", "MiB", [memory[mine]], [memory[other]], target=MEMORY_MIB)


def _ratio(name: str, one: Arm, another: Arm, *, target: float | None = None) -> Figure:
    """Ours over theirs, of each round by itself, so that whatever slows the machine down slows both."""
    ratios = [mine / theirs for mine, theirs in zip(one.rates, another.rates, strict=True)]
    return Figure.of(f"idp/{name}", "×", ratios, target=target, better="higher")


def _beside(name: str, unit: str, one: Sequence[float], another: Sequence[float], *, target: float | None) -> Figure:
    figure = Figure.of(f"idp/{name}", unit, one, target=target)
    return replace(figure, peer=round(statistics.median(another), 3))


def _known(provider: Running) -> Sequence[str]:
    return ["rs256"] if provider.name in ONLY_RS256 else list(ALGORITHMS)


def arm(provider: Running, algorithm: str, *, seconds: float = ROUND_S) -> Arm:
    """How a provider is asked for tokens signed by an algorithm."""
    prefix = f"/t/{registration.TENANT}" if provider.name == ours.TITLE and algorithm == "es256" else ""
    endpoint = urlsplit(f"{provider.issuer}{prefix}/token")
    form = {"grant_type": "client_credentials", "scope": registration.SCOPES[0], "resource": ALGORITHMS[algorithm]}
    body = urlencode(form)
    credentials = base64.b64encode(f"{registration.SERVICE}:{registration.SECRET}".encode()).decode()
    head = [
        f"POST {endpoint.path} HTTP/1.1",
        f"Host: {endpoint.netloc}",
        f"Authorization: Basic {credentials}",
        "Content-Type: application/x-www-form-urlencoded",
        f"Content-Length: {len(body)}",
    ]
    assert endpoint.port is not None  # noqa: S101  # every issuer here has one
    request = "\r\n".join([*head, "", body])
    return Arm(provider, Burst(endpoint.port, request, connections=CONNECTIONS, seconds=seconds))
