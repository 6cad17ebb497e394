"""``down``: stop the system that ``up`` started in this checkout, and reap what dead supervisors left behind."""

from __future__ import annotations

import argparse
from typing import Any

from harness import leash, state
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
    record = state.read(system.NAME)
    process = None if record is None else record.process()
    if record is None or process is None:
        stopped = [f"cleared away what {name} left behind" for name in reaped] or ["nothing was running"]
        return Report(data={"stopped": False, "reaped": reaped}, lines=stopped)
    try:
        Control(record.control_port, record.secret).call("shutdown", within=ANSWERS_IN_S)
    except HarnessError:
        leash.end([process], grace=STOPS_IN_S)
    if not leash.wait_gone([process], timeout=STOPS_IN_S):
        leash.end([process], grace=1.0)
        state.reap()
    return Report(data={"stopped": True, "reaped": reaped}, lines=["stopped; nothing is left running"])
