"""The command line: a module per verb, each with its parser and its command; this one dispatches and renders.

Exit codes: 0 fine, 1 a check failed, 2 wrong use or a port or set-up problem.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path

from harness import __version__
from harness.cli.arguments import Parser
from harness.cli.render import render
from harness.errors import HarnessError

VERBS = (
    *("up", "down", "status", "restart", "logs", "ports", "doctor"),
    *("test", "fuzz", "record", "token", "mcp", "bench", "probe", "serve", "generate", "lint"),
)
"""Each is a module of this package with ``register(commands)``."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    _open_streams()
    arguments = argparse.Namespace(debug=False)
    try:
        given = sys.argv[1:] if argv is None else argv
        _parser(given).parse_args(given, arguments)
        report = arguments.run(arguments)
        return 0 if report is None else render(report, as_json=getattr(arguments, "json", False))
    except HarnessError as error:
        if arguments.debug:
            traceback.print_exc()
        print(f"error: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:  # the reader of our output has seen enough, as in `logs | head`
        sys.stderr.close()
        return 0
    except OSError as error:
        if arguments.debug:
            traceback.print_exc()
        print(f"error: the system refused: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130


def _parser(given: Sequence[str]) -> argparse.ArgumentParser:
    """The parser of the verb that is ``given``; of all of them where none is, for the help."""
    parser = Parser(
        prog="python -m harness",
        description="Dress Rehearsal: starts, watches, breaks and proves the simulated system.",
    )
    parser.add_argument("--version", action="version", version=f"Dress Rehearsal {__version__}")
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    named = next((each for each in given if not each.startswith("-")), None)
    for verb in (named,) if named in VERBS else VERBS:  # half the time of a short command is loading what others need
        importlib.import_module(f"{__name__}.{verb}").register(commands)
    return parser


def _open_streams() -> None:
    """Give what is printed a place to go where the shell's ``>&-`` has closed standard output or error."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115  # for the whole process
