"""``ports``: which service listens where, who set that, and whether the port is free or who holds it."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from typing import Any

from harness import occupancy
from harness.cli import system
from harness.cli.render import Report


def register(commands: Any) -> None:
    """Add the verb to the command line."""
    parser = commands.add_parser("ports", help="show the port map and who holds each port", description=__doc__)
    instead = parser.add_mutually_exclusive_group()
    instead.add_argument("--check", action="store_true", help="exit code 1 when a stranger holds one")
    instead.add_argument("--free", action="store_true", help="print other ports that are free, as lines for .env")
    system.add_json(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> Report:
    """The port map as it is configured now, or a set of ports that nobody holds."""
    from rich.markup import escape  # noqa: PLC0415  # 60 ms, which every other verb would pay as well

    if arguments.free:
        numbers = occupancy.free()
        return Report(data=numbers, lines=[f"{variable}={number}" for variable, number in numbers.items()])
    found = occupancy.look(system.NAME)
    strangers = [place for place in found if place.state == "taken"]
    styles = {"free": "green", "ours": "cyan", "taken": "red"}
    return Report(
        data={"ports": [asdict(place) for place in found]},
        columns=("service", "port", "variable", "set by", "now"),
        rows=[
            (
                place.service,
                str(place.port or "–"),
                place.variable,
                place.source,
                f"[{styles[place.state]}]{escape(str(place))}[/]",
            )
            for place in found
        ],
        lines=["other ports that are free: python -m harness ports --free"] if strangers else [],
        ok=not (arguments.check and strangers),
    )
