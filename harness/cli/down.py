"""``down``: stop the system that ``up`` started in this checkout and what ``pytest --keep-on-failure`` kept, and reap
what dead supervisors left behind.
"""

from __future__ import annotations

import argparse
from typing import Any

from harness import launch, leash, state
from harness.cli import system
from harness.cli.render import Report
from harness.control import Control
from harness.errors import HarnessError

STOPS_IN_S = 10.0
ANSWERS_IN_S = 5.0


def register(commands: Any) -> None:
    """Add the verb to the command line."""
    parser = commands.add_parser("down", help="stop what `up` started", description=__doc__)
    system.add_json(parser)
    parser.set_defaults(run=run)


def run(_: argparse.Namespace) -> Report:
    """Ask the supervisor to end and wait until it has; only a process that is certainly ours is ever ended by force."""
    reaped = state.reap()
    running = [record for record in (state.read(system.NAME), *state.kept()) if record is not None]
    for record in running:
        end(record)
    if not running:
        stopped = [f"cleared away what {name} left behind" for name in reaped] or ["nothing was running"]
        return Report(data={"stopped": False, "reaped": reaped}, lines=stopped)
    return Report(data={"stopped": True, "reaped": reaped}, lines=["stopped; nothing is left running"])


def end(record: state.Record) -> None:
    """Ask one supervisor to end, and see to it that it does."""
    process = record.process()
    if process is None:
        return
    try:
        Control(record.control_port, record.secret).call("shutdown", within=ANSWERS_IN_S)
    except HarnessError:
        leash.end([process], grace=STOPS_IN_S)
    if not leash.wait_gone([process], timeout=STOPS_IN_S):
        leash.end([process], grace=1.0)
        state.reap()
    if record.kept:
        launch.forget(record.name)
