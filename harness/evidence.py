"""What a failing test shows: the log lines written during it, and what went wrong in the page."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from harness.errors import HarnessError
from harness.stack import Stack

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, ConsoleMessage, Request, WebError

STARTED = pytest.StashKey[float]()
OFFSETS = pytest.StashKey[Mapping[Path, int]]()
LOCAL = ("localhost", "127.0.0.1", "::1", None)
SECTION_LIMIT = 20_000


def offsets(stacks: list[Stack]) -> dict[Path, int]:
    """How long each service's log is now, in bytes."""
    return {path: path.stat().st_size for stack in stacks for path in stack.folder.glob("*.log")}


def log_sections(stacks: list[Stack], before: Mapping[Path, int]) -> list[tuple[str, str]]:
    """Title and text per log that has grown since ``before``; very long texts lose their beginning."""
    sections = []
    for stack in stacks:
        for path in sorted(stack.folder.glob("*.log")):
            with path.open("rb") as file:
                file.seek(before.get(path, 0))
                text = file.read().decode("utf-8", "replace")
            if text:
                sections.append((f"{path.stem} log", text[-SECTION_LIMIT:]))
    return sections


def journal_sections(stacks: list[Stack], since: float) -> list[tuple[str, str]]:
    """The HTTP exchanges after ``since`` as a readable sequence of calls, per stack; nothing where none can be told."""
    sections = []
    for stack in stacks:
        try:
            entries = stack.journal(since=since)
        except HarnessError as error:  # what is broken here is broken for the test as well, and it has said so
            sections.append((f"journal of {stack.name}", f"not to be had: {error}"))
            continue
        if entries:
            sections.append((f"journal of {stack.name}", "\n".join(_call(entry, since) for entry in entries)))
    return sections


def _call(entry: Mapping[str, Any], since: float) -> str:
    asked = f"{entry['method']} {entry['path']}" + (f" [{entry['rpc']}]" if entry["rpc"] else "")
    took = "–" if entry["took_ms"] is None else f"{entry['took_ms']:.0f} ms"
    return (
        f"+{entry['at'] - since:6.3f} s  {entry['service']:<13} {entry['status'] or '…':<3} {asked}"
        f"  ({took}, {entry['caller'] or 'nobody'})"
    )


class PageGuard:
    """Listens to every page of a context for what no user should meet."""

    def __init__(self, context: BrowserContext) -> None:
        self.complaints: list[str] = []
        context.on("console", self._console)
        context.on("weberror", self._thrown)
        context.on("request", self._request)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.complaints.append(f"console error: {message.text} ({message.location.get('url', '?')})")

    def _thrown(self, thrown: WebError) -> None:
        self.complaints.append(f"page error: {thrown.error}")

    def _request(self, request: Request) -> None:
        url = urlsplit(request.url)
        if url.scheme not in ("data", "blob") and url.hostname not in LOCAL:
            self.complaints.append(f"request to another host: {request.url}")
