"""``test``: set up what is missing, find a browser, then run ``pytest scenarios/``. Every argument goes to pytest."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from typing import Any, NoReturn

from harness import browser, bundle
from harness.bootstrap import child_environment
from harness.topology import ROOT


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
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> NoReturn:
    """Run pytest in this checkout; leaves with its exit code."""
    bundle.ensure()
    found = browser.ensure()
    print(f"· browser: {found}", file=sys.stderr, flush=True)
    command = [sys.executable, "-m", "pytest", *arguments.pytest_arguments]
    env = {**child_environment(os.environ), browser.VARIABLE: str(found)}
    if os.name == "nt":
        sys.exit(subprocess.call(command, cwd=ROOT, env=env))
    os.chdir(ROOT)
    os.execve(command[0], command, env)
