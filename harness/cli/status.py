"""``status``: what runs in this checkout, asked for its health just now."""

from __future__ import annotations

import argparse
from typing import Any

from harness.cli import system, timings
from harness.cli.render import Report
from harness.errors import NotRunningError


def register(commands: Any) -> None:
    """Add the verb to the command line."""
    parser = commands.add_parser("status", help="show what runs", description=__doc__)
    parser.add_argument("--timings", action="store_true", help="show what the last start of each service took")
    system.add_json(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> Report:
    """The running stack; a check that fails (exit code 1) when nothing runs or a service is not healthy."""
    try:
        report = system.report(
            system.control().call("describe", name=system.NAME, within=system.ANSWERS_IN_S), uptime=True
        )
        return timings.added(report, None) if arguments.timings else report
    except NotRunningError as error:
        return Report(data={"stack": None, "nonce": None, "services": {}}, lines=str(error).splitlines(), ok=False)
