"""``logs [SERVICE]``: what the services wrote, in order of time, each line behind its service's name."""

from __future__ import annotations

import argparse
import contextlib
import sys
import time
from collections.abc import Sequence
from typing import Any

from harness import project, state
from harness.cli import system
from harness.cli.stream import Stream
from harness.errors import NotRunningError
from harness.logbook import Log, merged

POLL_S = 0.1
TAIL = 1000


def register(commands: Any) -> None:
    """Add the verb to the command line."""
    parser = commands.add_parser("logs", help="show what the services wrote", description=__doc__)
    parser.add_argument("service", nargs="?", choices=tuple(project.services()))
    parser.add_argument("--follow", "-f", action="store_true", help="go on until Ctrl-C or until the system stops")
    parser.add_argument(
        "--tail",
        "-n",
        type=_lines,
        default=TAIL,
        metavar="N",
        help=f"begin with the last N lines of each service, or 'all' (default: {TAIL})",
    )
    parser.set_defaults(run=run)


def _lines(text: str) -> int | None:
    if text == "all":
        return None
    if not text.isascii() or not text.isdigit():
        raise argparse.ArgumentTypeError(f"{text!r} is neither a whole number from 0 on nor 'all'")
    return int(text[:9])


def run(arguments: argparse.Namespace) -> None:
    """Print the logs; with ``--follow`` wait for more."""
    record = state.read(system.NAME)
    if record is None:
        raise NotRunningError("nothing is running in this checkout", todo="start it: python -m harness up")
    names = [arguments.service] if arguments.service else list(project.services())
    logs = [Log(name, state.stack_folder(system.NAME) / f"{name}.log", tail=arguments.tail) for name in names]
    stream = Stream(names, out=sys.stdout, err=sys.stderr)
    if arguments.tail == TAIL:
        _tell_what_is_left_off(logs)
    with contextlib.suppress(KeyboardInterrupt):
        while True:
            runs = record.process() is not None
            stream.lines(merged(logs))
            if not arguments.follow:
                break
            if not runs:
                print("· the system has stopped", file=sys.stderr, flush=True)
                break
            time.sleep(POLL_S)


def _tell_what_is_left_off(logs: Sequence[Log]) -> None:
    for log in logs:
        if log.left_off:
            print(f"· {log.service}: earlier lines are left off; all of them: --tail all", file=sys.stderr, flush=True)
