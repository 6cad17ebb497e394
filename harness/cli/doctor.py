"""``doctor``: look for what keeps the harness from working here, and tell the fix of each; changes nothing.

Exit code 1 when something is broken, 0 when there are only hints.
"""

from __future__ import annotations

import argparse
from dataclasses import asdict
from typing import Any

from harness.cli import system
from harness.cli.render import Report

STYLES = {"ok": "[green]ok[/]", "hint": "[yellow]hint[/]", "broken": "[bold red]broken[/]"}


def register(commands: Any) -> None:
    """Add the verb to the command line."""
    parser = commands.add_parser("doctor", help="look for what is wrong, and how to mend it", description=__doc__)
    system.add_json(parser)
    parser.set_defaults(run=run)


def run(_: argparse.Namespace) -> Report:
    """Look at everything."""
    from rich.markup import escape  # noqa: PLC0415  # 60 ms, which every other verb would pay as well

    from harness import doctor  # noqa: PLC0415

    findings = list(doctor.examine(system.NAME))
    fine = all(finding.state != "broken" for finding in findings)
    return Report(
        data={"ok": fine, "findings": [asdict(finding) for finding in findings]},
        columns=("check", "", "found"),
        rows=[
            (finding.check, STYLES[finding.state], escape(finding.told + (f"\n→ {finding.fix}" if finding.fix else "")))
            for finding in findings
        ],
        ok=fine,
    )
