"""``bench``: measure the harness on this machine, against its targets."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from harness.cli import system
from harness.cli.render import Report

if TYPE_CHECKING:
    from harness.bench.figures import Figure

BENCHES = ("startup",)


def register(commands: Any) -> None:
    """Add the verb to the command line."""
    parser = commands.add_parser("bench", help="measure how fast systems come and go", description=__doc__)
    parser.add_argument("bench", nargs="?", choices=BENCHES, default="startup")
    parser.add_argument("--runs", type=_positive, default=25, metavar="N", help="samples of a warm figure")
    parser.add_argument("--cold-runs", type=_positive, default=3, metavar="N", help="samples of a cold figure")
    parser.add_argument("--tests", type=_at_least_20, default=200, metavar="N", help="tests with a fresh stack each")
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
    from harness.bench import startup  # noqa: PLC0415  # only what is measured is loaded

    def say(what: str) -> None:
        print(f"· {what} …", file=sys.stderr, flush=True)

    figures = list(startup.measure(runs=arguments.runs, cold_runs=arguments.cold_runs, tests=arguments.tests, say=say))
    return report(figures)


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
