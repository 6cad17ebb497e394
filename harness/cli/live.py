"""How services come up, while they do: a table that is redrawn on a terminal, a line per change anywhere else."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

from harness.cli import system
from harness.cli.stream import change, tell
from harness.control import Emit
from harness.lifecycle import Phase

if TYPE_CHECKING:
    from rich.table import Table

REDRAWN_PER_S = 10


@contextmanager
def shown(services: Sequence[str]) -> Iterator[Emit]:
    """What to call with every change of a service while ``services`` start."""
    if not sys.stderr.isatty() or os.environ.get("TERM", "dumb") == "dumb":
        yield tell
        return
    from rich.console import Console  # noqa: PLC0415  # 60 ms that a pipe does not need
    from rich.live import Live  # noqa: PLC0415

    progress = _Progress(services)
    with ExitStack() as screen:

        def on_event(event: Mapping[str, Any]) -> None:
            # Not before something starts: what is set up first tells its progress on lines of its own.
            if not progress.told:
                screen.enter_context(
                    Live(
                        get_renderable=progress.table,
                        console=Console(stderr=True),
                        refresh_per_second=REDRAWN_PER_S,
                        transient=sys.stdout.isatty(),  # where the final table takes its place
                    )
                )
            progress.told[event["service"]] = (event, time.monotonic())

        yield on_event


class _Progress:
    def __init__(self, services: Sequence[str]) -> None:
        self._services = services
        self.told: dict[str, tuple[Mapping[str, Any], float]] = {}

    def table(self) -> Table:
        from rich.table import Table  # noqa: PLC0415

        table = Table.grid(padding=(0, 3, 0, 0))
        for name in self._services:
            event, at = self.told.get(name, ({"state": Phase.WAITING, "url": ""}, 0.0))
            state = event["state"]
            said = f"starting {time.monotonic() - at:.1f} s" if state == Phase.STARTING else change(event) or state
            table.add_row(name, f"[{system.STYLES.get(state, 'dim')}]{said}[/]", event["url"])
        return table
