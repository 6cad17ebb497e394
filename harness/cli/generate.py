"""``generate``: render everything that repeats a fact of the harness; ``--check`` only tells what has drifted."""

from __future__ import annotations

import argparse
from typing import Any

from harness import project
from harness.cli import system
from harness.cli.render import Report
from harness.errors import HarnessError
from harness.topology import ROOT


def register(commands: Any) -> None:
    """Add the verb to the command line."""
    parser = commands.add_parser("generate", help="render what is generated, or check it", description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing; exit code 1 when a file has drifted")
    system.add_json(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> Report:
    """Write what has drifted, or report it."""
    if project.folder() != ROOT:
        raise HarnessError(
            "`generate` renders the files of the harness' own checkout",
            evidence=f"this project is {project.folder()}",
            todo=f"run it in {ROOT}",
        )
    from harness import artefacts  # noqa: PLC0415  # imports a service to ask it for its OpenAPI document

    if arguments.check:
        drifted = [(str(drift.path.relative_to(ROOT)), drift.what) for drift in artefacts.check()]
        return Report(
            data={"drifted": dict(drifted)},
            lines=[*(f"{path}: {what}" for path, what in drifted), "write them: python -m harness generate"]
            if drifted
            else ["everything generated is up to date"],
            ok=not drifted,
        )
    changed = [str(path.relative_to(ROOT)) for path in artefacts.generate()]
    return Report(data={"changed": changed}, lines=[f"written: {path}" for path in changed] or ["nothing has changed"])
