"""Records what somebody does in the web interface and writes it down as a scenario that runs on any ports."""

from __future__ import annotations

import contextlib
import re
import signal
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Error, Page, sync_playwright

from harness import browser, web
from harness.errors import HarnessError
from harness.stack import Stack
from harness.topology import ROOT

FOLDER = ROOT / "scenarios" / "recorded"
POLL_MS = 200.0
SCENARIO = '''"""Recorded as {username}. Edit freely; assertions make it a scenario."""

from collections.abc import Callable

from playwright.sync_api import Page{expect}


def test_{name}(page_as: Callable[[str], Page]) -> None:
    page = page_as("{username}")
{steps}
'''


def target(name: str, *, overwrite: bool) -> Path:
    """The file a recording called ``name`` goes to.

    Raises:
        HarnessError: the name cannot be a function's, or the file is there already and must not be lost.
    """
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        raise HarnessError(
            f"{name!r} cannot name a test", todo="use small letters, digits and underscores, such as create_ticket"
        )
    path = FOLDER / f"test_{name}.py"
    if path.exists() and not overwrite:
        raise HarnessError(f"{path.relative_to(ROOT)} exists already", todo="choose another name, or add --overwrite")
    return path


@contextlib.contextmanager
def recording(stack: Stack, *, name: str, username: str, path: Path, headless: bool = False) -> Iterator[Page]:
    """A signed-in page with Playwright's recorder beside it; the scenario is written to ``path`` at the end.

    Raises:
        NoBrowserError: there is no browser, or no screen to show it on.
    """
    found = browser.find(headless=headless)
    if found is None:
        raise browser.NoBrowserError("there is no browser to record in", todo=browser.how_to_get_one())
    # The folder outlives the browser: the recorder writes its last steps while the context closes.
    with tempfile.TemporaryDirectory() as folder:
        draft = Path(folder, "recorded.py")
        with sync_playwright() as playwright:
            opened = playwright.chromium.launch(executable_path=found, headless=headless, args=list(browser.ARGUMENTS))
            context = opened.new_context(base_url=stack.url("ui"), locale="en-US", timezone_id="UTC")
            page = web.sign_in(context.new_page(), username)
            options = {
                "language": "python-pytest",
                "mode": "recording",
                "outputFile": str(draft),
                "launchOptions": {"headless": headless, "executablePath": str(found)},
                "contextOptions": {},
            }
            # The public way to Playwright's recorder is its own command line, which cannot start signed in.
            context._sync(context._impl_obj._show_recorder(options))  # noqa: SLF001
            try:
                with contextlib.suppress(KeyboardInterrupt):  # it ends the recording and loses nothing of it
                    yield page
            finally:
                with contextlib.suppress(Error):  # Ctrl-C in a terminal reaches the driver too, and it closes all
                    context.close()
                    opened.close()
        text = draft.read_text(encoding="utf-8") if draft.exists() else ""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(scenario(text, name=name, username=username, origin=stack.url("ui")), encoding="utf-8")


def wait(page: Page) -> None:
    """Return when somebody has closed the window or pressed Ctrl-C, which from here on ends only the recording."""
    asked = threading.Event()
    before = signal.signal(signal.SIGINT, lambda *_: asked.set())
    try:
        while not (asked.is_set() or page.is_closed()):
            with contextlib.suppress(Error):
                page.wait_for_event("close", timeout=POLL_MS)
    finally:
        signal.signal(signal.SIGINT, before)


def scenario(recorded: str, *, name: str, username: str, origin: str) -> str:
    """Playwright's generated test as one of ours: our fixture, and URLs relative to whatever port the system has.

    Raises:
        HarnessError: nothing was recorded.
    """
    _, _, body = recorded.partition("def test_example(page: Page) -> None:\n")
    steps = [line for line in body.rstrip().splitlines() if line.strip() and line.strip() != "pass"]
    if not steps:
        raise HarnessError("nothing was recorded", todo="click, type or assert something before closing the window")
    relative = re.compile(re.escape(f'"{origin}') + r'(/[^"]*)?"')
    text = "\n".join(relative.sub(lambda found: f'"{found[1] or "/"}"', line) for line in steps)
    expect = ", expect" if "expect(" in text else ""
    return SCENARIO.format(name=name, username=username, steps=text, expect=expect)
