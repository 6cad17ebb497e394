"""``serve SERVICE``: run one service in the foreground on its configured port, for process managers.

It is what the generated Procfile and compose.yaml run. Nothing watches or restarts it; people use ``up``.
"""

from __future__ import annotations

import argparse
from typing import Any, NoReturn

from harness import project
from harness.cli import system
from harness.cli.arguments import text


def register(commands: Any) -> None:
    """Add the verb to the command line."""
    parser = commands.add_parser("serve", help="run one service by itself, for process managers", description=__doc__)
    parser.add_argument("service", choices=tuple(project.services()))
    parser.add_argument(
        "--address", type=text, metavar="ADDRESS", help="listen there (default: the loopback addresses only)"
    )
    system.add_world(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> NoReturn:
    """Become the service; does not return."""
    from harness import standalone  # noqa: PLC0415

    standalone.become(arguments.service, address=arguments.address, world=arguments.world, seed=arguments.seed)
