"""The plugin, by pytest in pytest: what a failing test shows, and what a misbehaving page does to it."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

from harness.bootstrap import child_environment

pytestmark = pytest.mark.xdist_group("plugin")  # one inner run for all

SCENARIOS = """
import httpx

def test_before(shared_stack):
    httpx.get(shared_stack.url("idp") + "/asked-by-an-earlier-test")

def test_fails(shared_stack):
    httpx.get(shared_stack.url("idp") + "/asked-by-this-test")
    assert False, "as it should"

def test_logs_an_error(page):
    page.goto("/")
    page.evaluate("console.error('something broke')")

def test_throws(page):
    page.goto("/config.json")  # in the application Angular would catch it, and log it
    with page.expect_event("pageerror"):
        page.evaluate("setTimeout(() => { throw new Error('nobody caught this') })")

def test_calls_home(page):
    page.route("http://192.0.2.1/**", lambda route: route.fulfill(status=204))
    page.goto("/config.json")
    page.evaluate("fetch('http://192.0.2.1/pixel', {mode: 'no-cors'}).catch(() => null)")

def test_behaves(page):
    page.goto("/")
    page.get_by_role("button", name="Sign in").wait_for()
"""


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The output of one inner run, made once: it starts a whole system."""
    folder = tmp_path_factory.mktemp("inner")
    (folder / "conftest.py").write_text('pytest_plugins = ["harness.plugin"]', encoding="utf-8")
    (folder / "test_inner.py").write_text(SCENARIOS, encoding="utf-8")
    env = child_environment(os.environ) | {"HARNESS_HOME": str(folder / "home")}
    command = [sys.executable, "-m", "pytest", "-rA", "--rootdir", str(folder), str(folder)]
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False).stdout


def section(report: str, title: str) -> str:
    """What the report tells of one test."""
    found = re.search(
        rf"^_+ (?:ERROR at teardown of )?{title}.*? _+\n(.*?)(?=^_{{3,}} |^={{3,}} )", report, re.MULTILINE | re.DOTALL
    )
    assert found, report
    return found[1]


def test_a_failing_test_shows_what_the_services_wrote_during_it_and_nothing_older(report: str) -> None:
    told = section(report, "test_fails")
    assert "idp log" in told
    assert "/asked-by-this-test" in told
    assert "/asked-by-an-earlier-test" not in told


def test_a_failing_test_shows_who_asked_whom_during_it(report: str) -> None:
    told = section(report, "test_fails")
    assert re.search(r"^\+ .* s  idp +404 GET /asked-by-this-test  \(\d+ ms, nobody\)$", told, re.MULTILINE), told
    assert "GET /asked-by-an-earlier-test  (" not in told


@pytest.mark.parametrize(
    ("test", "complaint"),
    [
        ("test_logs_an_error", "console error: something broke"),
        ("test_throws", "page error: nobody caught this"),
        ("test_calls_home", "request to another host: http://192.0.2.1/pixel"),
    ],
)
def test_a_misbehaving_page_fails_its_test(report: str, test: str, complaint: str) -> None:
    assert complaint in section(report, test)


def test_a_page_that_behaves_passes(report: str) -> None:
    assert re.search(r"^PASSED .*test_behaves", report, re.MULTILINE), report
    assert not re.search(r"^ERROR .*test_behaves", report, re.MULTILINE), report


def test_the_header_tells_seed_and_browser(report: str) -> None:
    assert re.search(r"^harness: world seed 1, browser /", report, re.MULTILINE), report


def test_the_run_leaves_nothing(report: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    assert "test_inner.py" in report
    homes = list(tmp_path_factory.getbasetemp().glob("inner*/home"))
    assert homes
    assert [path for home in homes for path in home.glob("run/*")] == []
    assert [path for home in homes for path in home.glob("stacks/*")] == []
