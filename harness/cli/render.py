"""The one place where reports become text or JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

PIPE_WIDTH = 400


@dataclass(frozen=True)
class Report:
    """What a command found: ``data`` for ``--json``, ``table`` or ``lines`` for people, ``ok`` for the exit code."""

    data: Any = None
    lines: Sequence[str] = ()
    columns: Sequence[str] = ()
    rows: Sequence[Sequence[str]] = field(default_factory=tuple)
    ok: bool = True


def render(report: Report, *, as_json: bool) -> int:
    """Print a report on standard output; returns the exit code it stands for."""
    if as_json:
        print(json.dumps(report.data, indent=2), flush=True)
    else:
        from rich.console import Console  # noqa: PLC0415  # 60 ms that --json does not need
        from rich.table import Table  # noqa: PLC0415

        console = Console(width=None if sys.stdout.isatty() else PIPE_WIDTH, highlight=False)
        if report.columns:
            table = Table(*report.columns, box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style="bold")
            for row in report.rows:
                table.add_row(*row)
            console.print(table)
        for line in report.lines:
            console.print(line, soft_wrap=True, markup=False)
    return 0 if report.ok else 1
