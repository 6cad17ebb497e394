"""``bench``: measure on this machine, against targets: how systems come and go, and what a token or a tool call costs.

Exit code 1 when a target is missed. Without a subject ``startup`` is measured; ``bench SUBJECT --help`` tells what
each measures, and its options.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from harness.cli import system
from harness.cli.arguments import whole
from harness.cli.render import Report

if TYPE_CHECKING:
    from harness.bench.figures import Figure

COMPARABLE = ("oidc-provider", "oauth2-mock-server", "nanoidp")
"""The providers of ``harness.bench.idp``, which is slow to load; a scenario holds the two together."""
COLD_RUNS, TESTS, LEAST_TESTS = 3, 200, 20

Say: TypeAlias = Callable[[str], None]


def register(commands: Any) -> None:
    """Add the verb to the command line."""
    parser = commands.add_parser("bench", help="measure how fast systems, tokens and tools are", description=__doc__)
    system.add_json(parser)
    parser.set_defaults(run=run, measure=_startup, runs=None, cold_runs=COLD_RUNS, tests=TESTS)
    subjects = parser.add_subparsers(title="subjects", metavar="SUBJECT")
    startup = _subject(
        subjects, "startup", _startup, "how fast systems come and go", warm="samples of a warm figure (25)"
    )
    startup.add_argument(
        "--cold-runs", type=whole(1), default=COLD_RUNS, metavar="N", help="samples of a cold figure (%(default)s)"
    )
    startup.add_argument(
        "--tests", type=whole(LEAST_TESTS), default=TESTS, metavar="N", help="tests with a fresh stack (%(default)s)"
    )
    idp = _subject(subjects, "idp", _idp, "tokens per second, ours and other providers' in turn")
    idp.add_argument(
        "--peer",
        action="append",
        default=[],
        choices=COMPARABLE,
        help=f"another one beside {COMPARABLE[0]}; repeatable",
    )
    _subject(subjects, "mcp", _mcp, "a tool call beside a bare server's; searches among 100,000 tickets")
    _subject(subjects, "api", _api, "a request of the REST API beside its tool call; many at once; after 50,000")


def _subject(
    subjects: Any, name: str, measure: Callable[..., Iterator[Figure]], about: str, *, warm: str = "rounds (9)"
) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = subjects.add_parser(name, help=about, description=measure.__doc__)
    parser.add_argument("--runs", type=whole(1), metavar="N", help=warm)
    system.add_json(parser, default=argparse.SUPPRESS)  # given before the subject it counts as well
    parser.set_defaults(measure=measure)
    return parser


def run(arguments: argparse.Namespace) -> Report:
    """Measure; a check that fails (exit code 1) when a target is missed."""

    def say(what: str) -> None:
        print(f"· {what} …", file=sys.stderr, flush=True)

    return report(list(arguments.measure(arguments, say)))


def _startup(arguments: argparse.Namespace, say: Say) -> Iterator[Figure]:
    """``startup``: times systems: fresh, spare, cold, reset and stopped, what a further one needs of memory, honcho's
    start of the same services, and a run of tests with a fresh system each.
    """
    from harness.bench import startup  # noqa: PLC0415  # here and below: only what is measured is loaded

    runs = arguments.runs or startup.RUNS
    return startup.measure(runs=runs, cold_runs=arguments.cold_runs, tests=arguments.tests, say=say)


def _idp(arguments: argparse.Namespace, say: Say) -> Iterator[Figure]:
    """``idp``: lets our identity provider and oidc-provider (from npm, when first wanted) give client credentials
    tokens in turn, round by round, at 16 connections; ``--peer`` adds others.
    """
    from harness.bench import idp  # noqa: PLC0415

    others = list(dict.fromkeys((idp.FASTEST, *arguments.peer)))
    return idp.measure(rounds=arguments.runs or idp.ROUNDS, others=others, say=say)


def _mcp(arguments: argparse.Namespace, say: Say) -> Iterator[Figure]:
    """``mcp``: calls tools of the ticketing server and of a bare FastMCP server in turn, round by round, and searches
    a world of 100,000 tickets.
    """
    from harness.bench import mcp  # noqa: PLC0415

    return mcp.measure(rounds=arguments.runs or mcp.ROUNDS, say=say)


def _api(arguments: argparse.Namespace, say: Say) -> Iterator[Figure]:
    """``api``: sends requests to the REST API and calls the tools behind them in turn, round by round; then with many
    connections at once, and once more after 50,000 requests.
    """
    from harness.bench import api  # noqa: PLC0415

    return api.measure(rounds=arguments.runs or api.ROUNDS, say=say)


def report(figures: Sequence[Figure]) -> Report:
    """Figures as table and JSON."""
    from harness.bench.figures import document  # noqa: PLC0415

    return Report(
        data=document(figures),
        columns=("figure", "median", "p95", "n", "target", "peer", ""),
        rows=[
            (
                f"{each.bench}/{each.figure}",
                f"{each.median:g} {each.unit}",
                f"{each.p95:g}",
                str(each.n),
                "–" if each.target is None else f"{'≤' if each.better == 'lower' else '≥'} {each.target:g}",
                "–" if each.peer is None else f"{each.peer:g}",
                "[green]met[/]" if each.met else "[red]missed[/]",
            )
            for each in figures
        ],
        ok=all(each.met for each in figures),
    )
