"""Our identity provider and others side by side under the checks of :mod:`harness.strictness`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing
from dataclasses import asdict, dataclass

from harness.bench import ours, peers, registration
from harness.bench.peers import PEERS, Running
from harness.strictness.checks import CHECKS
from harness.strictness.probe import Application, Probe, registered
from harness.strictness.verdict import Finding, Verdict
from harness.topology import ROOT

DOCUMENT = ROOT / "docs" / "idp-strictness.md"
SIGNS: Mapping[Finding, str] = {"strict": "✓", "loose": "**✗**", "absent": "–", "unclear": "?"}
OPENED = {"oidc-provider-mock"}
"""Those that know only clients that register themselves."""

HEAD = """\
# How strict the identity provider is

Rendered by `python -m harness probe --peers --write`, which installs the other providers, starts each with the
strictest settings it has, and does to all of them what an attacker or a careless client would do, over HTTP, knowing
nothing but the issuer's URL. `python -m harness probe URL` asks any other.

✓ refuses, as the text asks · **✗** puts up with it · – has nothing of the kind · ? could not be found out
"""
NOTES = """\
All have the same two public clients, with one redirect URI and one resource, where they know clients;
oauth2-mock-server knows none. nanoidp runs under its profile `oauth21`. oidc-provider-mock authenticates no public
client that was registered, so it is asked as a confidential one; its releases from 0.4 need Python 3.12. oidc-provider
has its development pages for signing in, as it has nothing else of its own.
"""


@dataclass(frozen=True)
class Column:
    """What was found of one provider, check by check."""

    name: str
    version: str
    verdicts: Mapping[str, Verdict]

    @property
    def strict(self) -> bool:
        """Whether it refuses whatever it is asked that should be refused."""
        return all(verdict.finding == "strict" for verdict in self.verdicts.values())

    def count(self, finding: Finding) -> int:
        """How many checks ended so."""
        return sum(verdict.finding == finding for verdict in self.verdicts.values())


def compare(others: Iterable[str], *, say: Callable[[str], None]) -> Iterator[Column]:
    """Ours, then the others, each started for this.

    Raises:
        HarnessError: one could not be installed or started.
    """
    started: list[AbstractContextManager[Running]] = [ours.started(), *(peers.started(PEERS[name]) for name in others)]
    for each in started:
        with each as running:
            say(f"{running.name} {running.version}")
            yield Column(running.name, running.version, examine(_application(running)))


def examine(application: Application) -> Mapping[str, Verdict]:
    """Put every check to a provider.

    Raises:
        HarnessError: there is none at this issuer's URL.
    """
    with closing(Probe(application)) as probe:
        probe.metadata  # noqa: B018  # without it there is nothing to ask
        return {name: check.run(probe) for name, check in CHECKS.items()}


def data(columns: Sequence[Column]) -> dict[str, object]:
    """For programs."""
    return {"providers": [asdict(column) for column in columns]}


def document(columns: Sequence[Column]) -> str:
    """The text of ``docs/idp-strictness.md``."""
    titles = ["promise", "asked by", *(f"{column.name} {column.version}" for column in columns)]
    rows = [
        [f"{check.promise}", check.source, *(SIGNS[column.verdicts[name].finding] for column in columns)]
        for name, check in CHECKS.items()
    ]
    kept = ["**kept**", "", *(f"**{column.count('strict')} of {_asked(column)}**" for column in columns)]
    lines = [titles, ["---", "---", *([":-:"] * len(columns))], *rows, kept]
    return "\n".join([HEAD, *(f"| {' | '.join(line)} |" for line in lines), "", NOTES])


def _asked(column: Column) -> int:
    return len(column.verdicts) - column.count("absent")


def _application(running: Running) -> Application:
    if running.name in OPENED:
        return registered(
            running.issuer,
            redirect_uri=registration.REDIRECT_URI,
            scope="openid profile",
            username=registration.USER,
            public=False,
        )
    return registration.application(running.issuer)
