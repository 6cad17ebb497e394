"""What a browser context saw: its console, what no user should meet, and, on failure, screenshots and a trace."""

from __future__ import annotations

import contextlib
import os
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, ConsoleMessage, Page, Request, WebError

LOCAL = ("localhost", "127.0.0.1", "::1", None)
MOST_LINES = 500
SCREENSHOT_WITHIN_MS = 5000


class Witness:
    """Listens to every page of a context, and records what Playwright's trace viewer shows.

    Recording costs a test about a twentieth of its time, and writes nothing unless it is asked for.
    """

    def __init__(self, context: BrowserContext, *, tracing: bool) -> None:
        self.complaints: list[str] = []
        self._lines: deque[str] = deque(maxlen=MOST_LINES)
        self._context, self._tracing = context, tracing
        context.on("console", self._console)
        context.on("weberror", self._thrown)
        context.on("request", self._request)
        if tracing:
            context.tracing.start(snapshots=True, sources=True)

    def settle(self) -> None:
        """Take in what has happened up to now: events arrive only while Playwright is asked for something."""
        from playwright.sync_api import Error  # noqa: PLC0415  # only who has a browser has this

        with contextlib.suppress(Error):  # a closed one has told everything
            self._context.cookies()

    def testify(self, folder: Path, number: int) -> str:
        """Keep screenshots and the trace in ``folder``; says where they are, and what the console said."""
        told = [
            text for index, page in enumerate(self._context.pages) for text in self._page(page, folder, number, index)
        ]
        told += (
            self._trace(folder / f"trace-{number}.zip") if self._tracing else [f"trace: {_short(folder)} (--tracing)"]
        )
        told += ["console:", *(f"  {line}" for line in self._lines)] if self._lines else ["console: nothing"]
        return "\n".join(told)

    def _page(self, page: Page, folder: Path, number: int, index: int) -> list[str]:
        from playwright.sync_api import Error  # noqa: PLC0415

        path = folder / f"page-{number}-{index + 1}.png"
        try:
            page.screenshot(path=path, timeout=SCREENSHOT_WITHIN_MS)
        except Error as error:
            return [f"page: {page.url}", f"screenshot: not to be had: {error.message.splitlines()[0]}"]
        return [f"page: {page.url}", f"screenshot: {_short(path)}"]

    def _trace(self, path: Path) -> list[str]:
        from playwright.sync_api import Error  # noqa: PLC0415

        try:
            self._context.tracing.stop(path=path)
        except Error as error:
            return [f"trace: not to be had: {error.message.splitlines()[0]}"]
        return [f"trace: {_short(path)}  (python -m playwright show-trace {_short(path)})"]

    def _console(self, message: ConsoleMessage) -> None:
        self._lines.append(f"{message.type:<7} {message.text}")
        if message.type == "error":
            self.complaints.append(f"console error: {message.text} ({message.location.get('url', '?')})")

    def _thrown(self, thrown: WebError) -> None:
        self._lines.append(f"thrown  {thrown.error}")
        self.complaints.append(f"page error: {thrown.error}")

    def _request(self, request: Request) -> None:
        url = urlsplit(request.url)
        if url.scheme not in ("data", "blob") and url.hostname not in LOCAL:
            self._lines.append(f"request to another host: {request.url}")
            self.complaints.append(self._lines[-1])


def _short(path: Path) -> str:
    """As it can be pasted into a terminal in the working directory."""
    return os.path.relpath(path) if path.is_relative_to(Path.cwd()) else str(path)
