"""``restart SERVICE``: stop and start one service on its port, with its data."""

from __future__ import annotations

import argparse
from typing import Any

from harness import project
from harness.cli import system
from harness.cli.render import Report


def register(commands: Any) -> None:
    """Add the verb to the command line."""
    parser = commands.add_parser("restart", help="restart one service", description=__doc__)
    parser.add_argument("service", choices=tuple(project.services()))
    system.add_json(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> Report:
    """Restart and wait until the service is healthy again."""
    return system.report(system.control().call("restart", name=system.NAME, service=arguments.service))
