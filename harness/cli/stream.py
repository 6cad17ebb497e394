"""Lines of services as people read them: each behind its service's name, in that service's colour on a terminal."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TextIO

from harness.lifecycle import Phase
from harness.logbook import Line

COLOURS = ("36", "33", "32", "35", "34", "96", "93", "92", "95", "94")
STANDS_OUT = "1;31"
CALM = {Phase.HEALTHY: "1;32"}


def colours(out: TextIO) -> bool:
    """Whether ``out`` is a terminal that shows colours, and nobody has declined them (https://no-color.org)."""
    return out.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM", "dumb") != "dumb"


class Stream:
    """What the services of one system write and what becomes of them: lines to ``out``, changes to ``err``."""

    def __init__(self, services: Sequence[str], *, out: TextIO, err: TextIO) -> None:
        self._out, self._err = out, err
        width = max(map(len, services))
        self._plain = {name: f"{name:<{width}} | " for name in services}
        self._coloured = {
            name: f"\x1b[{COLOURS[position % len(COLOURS)]}m{self._plain[name]}\x1b[0m"
            for position, name in enumerate(services)
        }

    def lines(self, lines: Iterable[Line]) -> None:
        """Print what services wrote."""
        prefixes = self._coloured if colours(self._out) else self._plain
        self._out.writelines(f"{prefixes[line.service]}{line.text}\n" for line in lines)
        self._out.flush()

    def change(self, event: Mapping[str, Any]) -> None:
        """Print what became of a service, if people want to know it."""
        if told := change(event):
            style = CALM.get(event["state"], STANDS_OUT)
            text = f"\x1b[{style}m{told}\x1b[0m" if colours(self._err) else told
            prefixes = self._coloured if colours(self._err) else self._plain
            self._out.flush()
            print(f"{prefixes[event['service']]}· {text}", file=self._err, flush=True)


def change(event: Mapping[str, Any]) -> str | None:
    """A change of a service in words; None for the steps in between."""
    match event["state"]:
        case Phase.HEALTHY:
            return f"healthy after {event['ready_s']:.2f} s"
        case Phase.UNHEALTHY:
            return f"unhealthy; log: {event['log']}"
        case Phase.CRASHED | Phase.RESTARTING:
            retry = event["retry_in_s"]
            follows = f"restarting in {retry:g} s" if retry is not None else f"log: {event['log']}"
            return f"crashed{ending(event['exit_code'])}, {follows}"
        case Phase.STARTING if event["pid"] is not None:  # told again while it lasts
            return f"starting; last answer: {event['last_answer']}"
        case _:
            return None


def ending(exit_code: int | None) -> str:
    """How a process ended: its exit code, or the signal that ended it."""
    if exit_code is None:
        return ""
    if exit_code < 0:
        try:
            return f" by {signal.Signals(-exit_code).name}"
        except ValueError:
            return f" by signal {-exit_code}"
    return f" with exit code {exit_code}"


def tell(event: Mapping[str, Any]) -> None:
    """One plain line per change of a service on standard error, and the end of its log when it has died."""
    if told := change(event):
        print(f"· {event['service']}: {told}", file=sys.stderr, flush=True)
        # What never was healthy is told by the error that ends the command.
        for line in event.get("log_tail", "").splitlines() if event["ready_s"] is not None else ():
            print(f"  | {line}", file=sys.stderr, flush=True)
