"""The one place where reports become text or JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

PIPE_WIDTH = 400
LEAST_WIDTH = 24


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

        console = Console(width=None if sys.stdout.isatty() else PIPE_WIDTH, highlight=False)
        with console.capture() as text:  # rich would answer a closed pipe by an exit of its own
            if report.columns:
                _table(report, console)
            for line in report.lines:
                console.print(line, soft_wrap=True, markup=False)
        sys.stdout.write(text.get())
        sys.stdout.flush()
    return 0 if report.ok else 1


def _table(report: Report, console: Console) -> None:
    """Print the table; one that is too wide for the terminal is wrapped by it, since a cut URL is worth nothing."""
    from rich.table import Table  # noqa: PLC0415

    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style="bold")
    for column in report.columns[:-1]:
        table.add_column(column, no_wrap=True)
    longest = max(len(cell) for cell in (report.columns[-1], *(row[-1] for row in report.rows)))
    table.add_column(report.columns[-1], overflow="fold", min_width=min(longest, LEAST_WIDTH))
    for row in report.rows:
        table.add_row(*row)
    least = console.measure(table, options=console.options.update(width=PIPE_WIDTH)).minimum
    console.width = max(console.width, least)
    console.print(table)
