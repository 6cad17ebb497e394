"""Systems that outlive their pytest session, because a test failed in them and somebody wants to look."""

from __future__ import annotations

from harness import state
from harness.stack import Stack

TITLE = "kept running (--keep-on-failure)"
HOW_TO_END = "end all of this: python -m harness down (so does the next run with --keep-on-failure)"


def told(stack: Stack) -> str:
    """Where a kept system answers and what it left, for a report."""
    width = max(map(len, stack.services))
    places = [f"  {name:<{width}}  {stack.url(name)}" for name in stack.services]
    return "\n".join([*places, f"  logs and databases: {stack.folder}"])


def end_all() -> None:
    """End what earlier sessions of this checkout have kept."""
    from harness.cli.down import end  # noqa: PLC0415  # the command line, which other sessions do not need

    for record in state.kept():
        end(record)
