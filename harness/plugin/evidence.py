"""What a failing test shows: what every service was asked, and what it wrote, during the test and not before."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from harness.errors import HarnessError
from harness.plugin.systems import Systems
from harness.stack import Stack

Section: TypeAlias = tuple[str, str]
STARTED = pytest.StashKey[float]()
OFFSETS = pytest.StashKey[Mapping[Path, int]]()
SOURCES = pytest.StashKey[list[Callable[[], list[Section]]]]()
"""What else can tell about a test, such as its browser; asked once, when the test has failed."""
SECTION_LIMIT = 20_000
MOST_CALLS = 200


def offsets(systems: Systems) -> dict[Path, int]:
    """How long each log is now, in bytes."""
    return {path: _size(path) for path in _logs(systems)}


def _size(path: Path) -> int:
    """0 for what is gone: a system that tests are only attached to may end at any moment."""
    return path.stat().st_size if path.exists() else 0


def sections(item: pytest.Item, systems: Systems) -> list[Section]:
    """Title and text of everything there is to tell about a failed test."""
    told = [section for source in item.stash.get(SOURCES, []) for section in _ask(source)]
    logs = log_sections(systems, item.stash.get(OFFSETS, {}))  # before we ask for the journal, which is logged, too
    told += journal_sections(systems.running, item.stash.get(STARTED, 0.0)) + logs
    begin(item, systems)
    item.stash[SOURCES] = []
    return told


def _ask(source: Callable[[], list[Section]]) -> list[Section]:
    try:
        return source()
    except Exception as error:  # noqa: BLE001  # whatever a broken browser does: the test's own failure must be told
        return [("evidence", f"not to be had: {error!r}")]


def begin(item: pytest.Item, systems: Systems) -> None:
    """From now on: what is told of a test begins here."""
    item.stash[STARTED] = time.monotonic()
    item.stash[OFFSETS] = offsets(systems)


def _logs(systems: Systems) -> list[Path]:
    of_services = [path for stack in systems.running for path in sorted(stack.folder.glob("*.log"))]
    return of_services + ([systems.supervisor_log] if systems.supervisor_log else [])


def log_sections(systems: Systems, before: Mapping[Path, int]) -> list[Section]:
    """Title and text per log that has grown since ``before``; very long texts lose their beginning."""
    sections = []
    for path in _logs(systems):
        if not path.exists():
            continue
        with path.open("rb") as file:
            start, end = before.get(path, 0), file.seek(0, 2)
            file.seek(max(start, end - SECTION_LIMIT))
            text = file.read().decode("utf-8", "replace")
        if text:
            left_out = max(0, end - SECTION_LIMIT - start)
            more = f"… {left_out} bytes before this: {path}\n" if left_out else ""
            title = "supervisor" if path == systems.supervisor_log else path.stem
            sections.append((f"{title} log", more + text))
    return sections


def journal_sections(stacks: list[Stack], since: float) -> list[Section]:
    """The HTTP exchanges after ``since`` as a readable sequence of calls, per stack; nothing where none can be told."""
    sections = []
    for stack in stacks:
        try:
            entries = stack.journal(since=since)
        except HarnessError as error:  # what is broken here is broken for the test as well, and it has said so
            sections.append((f"journal of {stack.name}", f"not to be had: {error}"))
            continue
        if entries:
            calls = [_call(entry, since) for entry in entries[-MOST_CALLS:]]
            more = [f"… {len(entries) - MOST_CALLS} calls before these"] if len(entries) > MOST_CALLS else []
            sections.append((f"journal of {stack.name}", "\n".join(more + calls)))
    return sections


def _call(entry: Mapping[str, Any], since: float) -> str:
    asked = f"{entry['method']} {entry['path']}" + (f" [{entry['rpc']}]" if entry["rpc"] else "")
    took = "–" if entry["took_ms"] is None else f"{entry['took_ms']:.0f} ms"
    return (
        f"+{entry['at'] - since:6.3f} s  {entry['service']:<13} {entry['status'] or '…':<3} {asked}"
        f"  ({took}, {entry['caller'] or 'nobody'})"
    )
