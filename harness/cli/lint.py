"""``lint``: every linter, formatter and type check of the project, and the unit tests of the web interface."""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from harness import bundle, modules
from harness.bootstrap import step
from harness.cli.render import Report
from harness.topology import ROOT

PYTHON_CHECKS: Sequence[tuple[str, Sequence[str]]] = (
    ("ruff check", ("-m", "ruff", "check", ".")),
    ("ruff format", ("-m", "ruff", "format", "--check", ".")),
    ("mypy", ("-m", "mypy")),
)
SCRIPTS = ("../scenarios/oracles", "../harness/bench/servers")
"""JavaScript outside of the Angular workspace."""

NODE_CHECKS: Sequence[tuple[str, Sequence[str]]] = (
    ("eslint", ("node_modules/eslint/bin/eslint.js", ".")),
    ("prettier", ("node_modules/prettier/bin/prettier.cjs", "--check", "--config", ".prettierrc", ".", *SCRIPTS)),
    ("ng test", ("node_modules/@angular/cli/bin/ng.js", "test", "--no-watch")),
)


def register(commands: Any) -> None:
    """Add the verb to the command line."""
    parser = commands.add_parser("lint", help="run linters, formatters and type checks", description=__doc__)
    parser.set_defaults(run=run)


def run(_: argparse.Namespace) -> Report:
    """Run all checks, also after one has failed; fine when none has."""
    from harness import node  # noqa: PLC0415  # looks for the node wheel

    modules.ensure(bundle.WORKSPACE)
    failed = [name for name, arguments in PYTHON_CHECKS if not _passes(name, [sys.executable, *arguments], ROOT, None)]
    failed += [
        name
        for name, arguments in NODE_CHECKS
        if not _passes(name, [str(node.NODE), *arguments], bundle.WORKSPACE, node.environment())
    ]
    return Report(lines=[f"failed: {', '.join(failed)}" if failed else "all checks passed"], ok=not failed)


def _passes(name: str, command: Sequence[str], folder: Path, env: dict[str, str] | None) -> bool:
    with step(name):
        done = subprocess.run(
            command, cwd=folder, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, check=False,
        )  # fmt: skip
    if done.returncode:
        print(done.stdout, file=sys.stderr)
    return done.returncode == 0
