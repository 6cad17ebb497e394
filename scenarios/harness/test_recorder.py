"""Recording: what somebody does with mouse and keyboard becomes a scenario that runs on any ports."""

from __future__ import annotations

import json
import os
import runpy
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page

from harness import browser, recorder
from harness.bootstrap import child_environment
from harness.errors import HarnessError
from harness.stack import Stack
from harness.topology import ROOT

ENDS_WITHIN_S = 10.0
ORIGIN = "http://localhost:40001"


def generated(*steps: str) -> str:
    """A file as Playwright's recorder writes it."""
    body = "".join(f"    {step}\n" for step in steps)
    return f"import re\nfrom playwright.sync_api import Page, expect\n\n\ndef test_example(page: Page) -> None:\n{body}"


def test_urls_become_relative_so_that_any_ports_will_do() -> None:
    steps = (
        f'page.goto("{ORIGIN}/tickets")',
        f'expect(page).to_have_url("{ORIGIN}")',
        'page.goto("http://else.test/")',
    )
    text = recorder.scenario(generated(*steps), name="tour", username="alice", origin=ORIGIN)
    assert 'page.goto("/tickets")' in text
    assert 'expect(page).to_have_url("/")' in text
    assert 'page.goto("http://else.test/")' in text
    assert "from playwright.sync_api import Page, expect" in text


def test_a_recording_without_a_step_is_refused() -> None:
    with pytest.raises(HarnessError, match="nothing was recorded"):
        recorder.scenario(generated("pass"), name="tour", username="alice", origin=ORIGIN)


def test_a_recording_never_replaces_another_unasked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(recorder, "FOLDER", tmp_path)
    monkeypatch.setattr(recorder, "ROOT", tmp_path)
    (tmp_path / "test_tour.py").touch()
    with pytest.raises(HarnessError, match="exists already"):
        recorder.target("tour", overwrite=False)
    assert recorder.target("tour", overwrite=True) == tmp_path / "test_tour.py"


@pytest.mark.parametrize("name", ["Tour", "a tour", "../tour", "", "tour-2", "1st"])
def test_a_name_that_cannot_be_a_functions_is_refused(name: str) -> None:
    with pytest.raises(HarnessError, match="cannot name a test"):
        recorder.target(name, overwrite=False)


def test_a_closed_window_ends_the_recording(new_context: Callable[[], BrowserContext]) -> None:
    page = new_context().new_page()
    page.evaluate("setTimeout(() => window.close(), 300)")
    recorder.wait(page)
    assert page.is_closed()


DRIVE = """
import json, sys
from pathlib import Path
from harness import browser, recorder
from harness.control import Control
from harness.stack import Stack

path, described, headless = Path(sys.argv[1]), json.loads(sys.argv[2]), sys.argv[3] == "headless"
stack = Stack(Control(0, "not needed"), described)
with recorder.recording(stack, name="tour", username="alice", path=path, headless=headless) as page:
    page.get_by_role("link").filter(has_text="VPN drops").click()
    page.get_by_role("link", name="Ask about this ticket").click()
    page.get_by_role("button", name="Send").click()
    page.get_by_role("log", name="Conversation").get_by_text("VPN drops").first.wait_for()
    print("done", flush=True)
    recorder.wait(page)
"""


@pytest.fixture(params=["headless", "in a window"])
def display(request: pytest.FixtureRequest) -> Iterator[str | None]:
    """Where to show the recorder: nowhere, or on a virtual screen of its own."""
    if request.param == "headless":
        yield None
        return
    screen = shutil.which("Xvfb")
    if screen is None:
        pytest.skip("there is no virtual screen: Xvfb is not installed")
    if browser.find(headless=False) is None:
        pytest.skip("there is no browser that has windows")
    told, tell = os.pipe()
    command = [screen, "-displayfd", str(tell), "-screen", "0", "1280x900x24", "-nolisten", "tcp"]
    with subprocess.Popen(command, pass_fds=[tell], stderr=subprocess.DEVNULL) as process, os.fdopen(told) as number:
        os.close(tell)
        yield f":{number.readline().strip()}"
        process.terminate()


def test_mouse_and_keyboard_are_recorded_until_ctrl_c_and_replayed_on_other_ports(
    display: str | None, tmp_path: Path, shared_stack: Stack, stack: Stack, page_as: Callable[[str], Page]
) -> None:
    path = tmp_path / "test_tour.py"
    described = json.dumps(shared_stack.describe())
    surroundings = child_environment(os.environ) | ({} if display is None else {"DISPLAY": display})
    # In a process of its own: Playwright's synchronous driver runs once per process, and it runs here already.
    driven = subprocess.Popen(
        [sys.executable, "-c", DRIVE, str(path), described, "headless" if display is None else "window"],
        cwd=ROOT, env=surroundings, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    assert driven.stdout is not None
    assert "done\n" in iter(driven.stdout.readline, ""), driven.communicate()[1]
    os.killpg(driven.pid, signal.SIGINT)  # as a terminal does: the browser and its driver get it too
    _, errors = driven.communicate(timeout=ENDS_WITHIN_S)
    assert driven.returncode == 0, errors
    text = path.read_text(encoding="utf-8")
    assert shared_stack.url("ui") not in text
    assert 'page.get_by_role("button", name="Send").click()' in text

    assert stack.url("ui") != shared_stack.url("ui")
    runpy.run_path(str(path))["test_tour"](page_as)
