"""``fuzz rest``: contract-fuzz the REST API of a system started for it; exit code 1 on findings."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from harness import launch
from harness.cli.render import Report


def register(commands: Any) -> None:
    """Add the verb to the command line."""
    parser = commands.add_parser("fuzz", help="fuzz the REST API against its contract", description=__doc__)
    parser.add_argument("surface", nargs="?", choices=("rest",), default="rest")
    parser.add_argument("--max-examples", type=_positive, default=25, metavar="N", help="per operation (default: 25)")
    parser.add_argument("--seed", type=int, metavar="N", help="repeat a run (default: a new one, printed)")
    parser.add_argument("--operation", action="append", default=[], metavar="ID", help="only this one; repeatable")
    parser.add_argument(
        "--as", dest="username", default="alice", metavar="USER", help="who is signed in (default: alice)"
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> Report:
    """Start a fresh system and let Schemathesis loose on it."""
    from harness import contract  # noqa: PLC0415  # Schemathesis takes a while to import

    with launch.running() as stack:
        stack.sign_in(arguments.username).token("api")  # an unknown name is told here, not by a refused run
        print(f"· system at {stack.url('api')}, signed in as {arguments.username}", file=sys.stderr, flush=True)
        outcome = contract.fuzz_rest(
            stack,
            username=arguments.username,
            seed=arguments.seed,
            max_examples=arguments.max_examples,
            operations=arguments.operation,
        )
    options = f"--seed {outcome.seed} --max-examples {arguments.max_examples} --as {arguments.username}"
    options += "".join(f" --operation {operation}" for operation in arguments.operation)
    verdict = "nothing found" if outcome.ok else "findings, see above"
    return Report(
        lines=[f"{verdict}; seed {outcome.seed}", f"repeat it: python -m harness fuzz rest {options}"], ok=outcome.ok
    )


def _positive(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 on")
    return int(text)
