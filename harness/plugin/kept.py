"""Systems that outlive their pytest session, because a test failed in them and somebody wants to look."""

from __future__ import annotations

from harness import state
from harness.plugin.systems import MOST_KEPT
from harness.stack import Stack

TITLE = "kept running (--keep-on-failure)"
HOW_TO_END = "end all of this: python -m harness down (so does the next run with --keep-on-failure)"


def sections(used: list[Stack], kept: list[Stack]) -> list[tuple[str, str]]:
    """What a failed test's report says of the systems it used."""
    left_out = [(TITLE, f"  not kept: {MOST_KEPT} systems are kept already")] if len(kept) < len(used) else []
    return [(TITLE, _told(stack)) for stack in kept] + left_out


def _told(stack: Stack) -> str:
    width = max(map(len, stack.services))
    places = [f"  {name:<{width}}  {stack.url(name)}" for name in stack.services]
    return "\n".join([*places, f"  logs and databases: {stack.folder}"])


def end_all() -> None:
    """End what earlier sessions of this checkout have kept."""
    from harness.cli.down import end  # noqa: PLC0415  # the command line, which other sessions do not need

    for record in state.kept():
        end(record)
