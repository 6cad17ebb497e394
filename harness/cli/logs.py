"""``logs [SERVICE]``: what the services wrote, each line behind its service's name."""

from __future__ import annotations

import argparse
import contextlib
import sys
import time
from pathlib import Path
from typing import Any

from harness import project, state
from harness.cli import system
from harness.errors import NotRunningError

POLL_S = 0.1


def register(commands: Any) -> None:
    """Add the verb to the command line."""
    parser = commands.add_parser("logs", help="show what the services wrote", description=__doc__)
    parser.add_argument("service", nargs="?", choices=tuple(project.services()))
    parser.add_argument("--follow", "-f", action="store_true", help="go on until Ctrl-C or until the system stops")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Print the logs; with ``--follow`` wait for more."""
    record = state.read(system.NAME)
    if record is None:
        raise NotRunningError("nothing is running in this checkout", todo="start it: python -m harness up")
    names = [arguments.service] if arguments.service else list(project.services())
    logs = {name: state.stack_folder(system.NAME) / f"{name}.log" for name in names}
    width = max(map(len, names))
    offsets = dict.fromkeys(names, 0)
    with contextlib.suppress(KeyboardInterrupt):
        while True:
            runs = record.process() is not None
            for name, path in logs.items():
                lines, offsets[name] = _lines(path, offsets[name])
                sys.stdout.writelines(f"{name:<{width}} | {line}\n" for line in lines)
            sys.stdout.flush()
            if not arguments.follow or not runs:
                break
            time.sleep(POLL_S)


def _lines(path: Path, offset: int) -> tuple[list[str], int]:
    """Whole lines after ``offset`` bytes, and the offset behind them; a line still being written is left for later."""
    if not path.exists():
        return [], offset
    with path.open("rb") as file:
        file.seek(offset)
        whole, newline, _ = file.read().rpartition(b"\n")
    return whole.decode("utf-8", "replace").splitlines() if newline else [], offset + len(whole) + len(newline)
