"""``test``: set up what is missing, find a browser, then run ``pytest scenarios/``.

Arguments go to pytest as they are; without any, the scenarios run on up to four processors. Options of the harness are
among them: --stack, --ports, --world, --seed, --keep-on-failure. All there are: .venv/bin/python -m pytest --help
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from typing import Any, NoReturn

from harness import browser, bundle, modules
from harness.bootstrap import child_environment
from harness.cli.render import Report
from harness.topology import ROOT

MOST_WORKERS = 4


def register(commands: Any) -> None:
    """Add the verb to the command line."""
    parser = commands.add_parser(
        "test",
        help="run pytest scenarios/ (arguments go to pytest)",
        description=__doc__,
        add_help=False,
        prefix_chars="\0",
    )
    parser.add_argument("pytest_arguments", nargs="*", metavar="ARGUMENT")
    parser.set_defaults(run=run, help=parser.format_help)


def run(arguments: argparse.Namespace) -> Report:
    """Run pytest in this checkout; leaves with its exit code. Whoever asks for help waits for no set-up."""
    if {"-h", "--help"} & set(arguments.pytest_arguments):
        return Report(lines=arguments.help().splitlines())
    return _become_pytest(arguments)


def _become_pytest(arguments: argparse.Namespace) -> NoReturn:
    bundle.ensure()
    modules.ensure(modules.ORACLES)
    found = browser.ensure()
    print(f"· browser: {found}", file=sys.stderr, flush=True)
    given = arguments.pytest_arguments or [
        *("-p", "harness.roster", "--dist", "loadgroup"),
        *("-n", str(min(os.cpu_count() or 1, MOST_WORKERS))),
    ]
    command = [sys.executable, "-m", "pytest", *given]
    env = {**child_environment(os.environ), browser.VARIABLE: str(found)}
    if os.name == "nt":
        sys.exit(subprocess.call(command, cwd=ROOT, env=env))
    os.chdir(ROOT)
    os.execve(command[0], command, env)
