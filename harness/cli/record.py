"""``record NAME --as USER``: record what you do in the web interface; writes ``scenarios/recorded/test_NAME.py``."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from typing import Any

from harness import launch
from harness.cli.arguments import text
from harness.cli.render import Report
from harness.errors import HarnessError


def register(commands: Any) -> None:
    """Add the verb to the command line."""
    parser = commands.add_parser("record", help="record a browser flow as a scenario", description=__doc__)
    parser.add_argument("name", metavar="NAME", help="of the scenario, such as create_ticket")
    parser.add_argument(
        "--as", dest="username", type=text, default="alice", metavar="USER", help="who is signed in (default: alice)"
    )
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="of the seeded world (default: 1)")
    parser.add_argument("--overwrite", action="store_true", help="replace a recording of that name")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> Report:
    """Open a window on a fresh system and record until it is closed."""
    from harness import recorder  # noqa: PLC0415  # Playwright takes a while to import

    # Ctrl-C ends Playwright's driver too, and with it a future that nobody asks any more.
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    path = recorder.target(arguments.name, overwrite=arguments.overwrite)
    if sys.platform == "linux" and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        raise HarnessError(
            "there is no screen to show the recorder on",
            evidence="neither DISPLAY nor WAYLAND_DISPLAY is set",
            todo="run it in a desktop session, or on a virtual screen: xvfb-run python -m harness record …",
        )
    with (
        launch.running(seed=arguments.seed) as stack,
        recorder.recording(stack, name=arguments.name, username=arguments.username, path=path) as page,
    ):
        print("recording; close the window or press Ctrl-C when you are done", file=sys.stderr, flush=True)
        recorder.wait(page)
    return Report(lines=[f"written: {path}", f"run it: python -m harness test {path}"])
