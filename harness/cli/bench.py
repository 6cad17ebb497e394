"""``bench``: measure on this machine, against targets: how systems come and go, and what a token or a tool call costs.

``startup`` times systems; ``idp`` lets the identity provider and one of other people make tokens in turn; ``mcp`` calls
tools beside a bare server, and searches a large world; ``api`` asks the REST API beside its tools.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from harness.cli import system
from harness.cli.render import Report
from harness.errors import HarnessError

if TYPE_CHECKING:
    from harness.bench.figures import Figure

BENCHES = ("startup", "idp", "mcp", "api")


def register(commands: Any) -> None:
    """Add the verb to the command line."""
    parser = commands.add_parser("bench", help="measure how fast systems, tokens and tools are", description=__doc__)
    parser.add_argument("bench", nargs="?", choices=BENCHES, default="startup")
    parser.add_argument(
        "--runs", type=_positive, metavar="N", help="samples of a warm figure (25; rounds of idp, mcp and api: 9)"
    )
    parser.add_argument("--cold-runs", type=_positive, default=3, metavar="N", help="samples of a cold figure")
    parser.add_argument("--tests", type=_at_least_20, default=200, metavar="N", help="tests with a fresh stack each")
    parser.add_argument(
        "--peer", action="append", default=[], metavar="NAME", help="idp: another provider beside oidc-provider"
    )
    system.add_json(parser)
    parser.set_defaults(run=run)


def _positive(text: str) -> int:
    return _number(text, least=1)


def _at_least_20(text: str) -> int:
    return _number(text, least=20)


def _number(text: str, *, least: int) -> int:
    if not text.isascii() or not text.isdigit() or not least <= int(text[:9]) <= 10**6:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from {least} on")
    return int(text)


def run(arguments: argparse.Namespace) -> Report:
    """Measure; a check that fails (exit code 1) when a target is missed."""

    def say(what: str) -> None:
        print(f"· {what} …", file=sys.stderr, flush=True)

    measured = {"startup": _startup, "idp": _idp, "mcp": _mcp, "api": _api}[arguments.bench]
    return report(list(measured(arguments, say)))


def _startup(arguments: argparse.Namespace, say: Callable[[str], None]) -> Iterator[Figure]:
    from harness.bench import startup  # noqa: PLC0415  # here and below: only what is measured is loaded

    runs = arguments.runs or startup.RUNS
    return startup.measure(runs=runs, cold_runs=arguments.cold_runs, tests=arguments.tests, say=say)


def _idp(arguments: argparse.Namespace, say: Callable[[str], None]) -> Iterator[Figure]:
    from harness.bench import idp  # noqa: PLC0415

    unknown = [name for name in arguments.peer if name not in idp.COMPARABLE]
    if unknown:
        raise HarnessError(f"no such peer: {unknown[0]!r}", todo=f"there are: {', '.join(idp.COMPARABLE)}")
    others = list(dict.fromkeys((idp.FASTEST, *arguments.peer)))
    return idp.measure(rounds=arguments.runs or idp.ROUNDS, others=others, say=say)


def _mcp(arguments: argparse.Namespace, say: Callable[[str], None]) -> Iterator[Figure]:
    from harness.bench import mcp  # noqa: PLC0415

    return mcp.measure(rounds=arguments.runs or mcp.ROUNDS, say=say)


def _api(arguments: argparse.Namespace, say: Callable[[str], None]) -> Iterator[Figure]:
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
