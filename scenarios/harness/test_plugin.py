"""The plugin, by pytest in pytest: what fixtures give, what a failing test shows, and what a misbehaving page does."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator

import psutil
import pytest

from scenarios.harness.inner import QUICK, Inner

pytestmark = pytest.mark.xdist_group("plugin")  # one inner run for all

SCENARIOS = """
import gc
import httpx, pytest

@pytest.mark.anyio
async def test_in_a_coroutine(mcp_client, ticketing, anyio_backend_name):
    async with mcp_client("ticketing", "alice") as client:
        assert "get_ticket" in [tool.name for tool in await client.list_tools()]
    assert ticketing.stack.services == ("idp", "ticketing")

def test_starts_only_what_it_needs(organizations, idp):
    assert organizations.stack is idp.stack and idp.stack.services == ("idp", "organizations")
    assert httpx.get(idp.url + "/healthz").json()["instance"] == idp.stack.nonce
    httpx.get(organizations.url + "/nowhere")
    assert [call["path"] for call in organizations.journal()] == ["/nowhere"]
    assert idp.journal() == [] and "/nowhere" in organizations.log()
    before = idp.stack.describe()["services"]
    organizations.restart()
    after = idp.stack.describe()["services"]
    assert [before[name]["pid"] == after[name]["pid"] for name in ("idp", "organizations")] == [True, False]

def test_belongs_to_the_stack_it_asks_for(stack, ticketing, shared_stack):
    assert ticketing.stack is stack and stack is not shared_stack

@pytest.mark.world("atlantis")
def test_nowhere(idp): ...

@pytest.mark.world(sead=7)
def test_misspelt(idp): ...

@pytest.mark.world(seed=7)
def test_seed(idp):
    assert idp.stack.seed == 7

def test_nobody(as_user):
    as_user("zaphod").token("api")

def test_no_service(as_user):
    as_user("alice").token("sauna")

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

def test_garbage_is_collected_but_not_what_lasts():
    assert gc.isenabled()
    assert not any(each is pytest for each in gc.get_objects())

def test_behaves(page):
    page.goto("/")
    page.get_by_role("button", name="Sign in").wait_for()
"""


@pytest.fixture(scope="module")
def inner(tmp_path_factory: pytest.TempPathFactory) -> Inner:
    """A project in a folder of its own."""
    return Inner(tmp_path_factory.mktemp("inner"), SCENARIOS)


@pytest.fixture(scope="module")
def innocent() -> Iterator[psutil.Process]:
    """Somebody who has the pid today that a killed run wrote down."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        yield psutil.Process(process.pid)
        process.kill()


@pytest.fixture(scope="module")
def report(inner: Inner, innocent: psutil.Process) -> str:
    """The output of one inner run, made once: it starts a whole system. Its reports travel as those of every worker."""
    inner.stale_pid_file(innocent.pid)
    return inner.run("-rA", "-n", "1", *QUICK).stdout


def section(report: str, title: str) -> str:
    """What the report tells of one test."""
    found = re.search(
        rf"^_+ (?:ERROR at \w+ of )?{title}.*? _+\n(.*?)(?=^_{{3,}} |^={{3,}} )", report, re.MULTILINE | re.DOTALL
    )
    assert found, report
    return found[1]


def test_a_failing_test_shows_what_the_services_wrote_during_it_and_nothing_older(report: str) -> None:
    told = section(report, "test_fails")
    assert "idp log" in told
    assert "/asked-by-this-test" in told
    assert "/asked-by-an-earlier-test" not in told
    assert "/_sim/" not in told


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
    assert not re.search(rf"^ERROR .*{test}", report, re.MULTILINE)


def test_a_failing_browser_test_shows_its_page_its_console_and_where_the_trace_is(report: str, inner: Inner) -> None:
    told = section(report, "test_logs_an_error")
    assert re.search(r"^page: http://localhost:\d+/$", told, re.MULTILINE), told
    assert re.search(r"^  error +something broke$", told, re.MULTILINE), told
    kept = dict(re.findall(r"^(screenshot|trace): (\S+)", told, re.MULTILINE))
    assert (inner.folder / kept["screenshot"]).read_bytes().startswith(b"\x89PNG")
    assert (inner.folder / kept["trace"]).read_bytes().startswith(b"PK")


def test_nothing_is_kept_of_tests_that_passed(report: str, inner: Inner) -> None:
    folders = [path.name for path in (inner.folder / "test-results").iterdir()]
    assert [name for name in folders if "behaves" in name] == []
    assert len(folders) == 3


@pytest.mark.parametrize(
    "test",
    [
        "test_behaves",
        "test_in_a_coroutine",
        "test_starts_only_what_it_needs",
        "test_belongs_to_the_stack_it_asks_for",
        "test_seed",
        "test_garbage_is_collected_but_not_what_lasts",
    ],
)
def test_passes(report: str, test: str) -> None:
    assert re.search(rf"^PASSED .*{test}", report, re.MULTILINE), report
    assert not re.search(rf"^ERROR .*{test}", report, re.MULTILINE), report


@pytest.mark.parametrize(
    ("test", "sentences"),
    [
        ("test_nowhere", ["there is no world named 'atlantis'", "the worlds are base, large, small"]),
        ("test_misspelt", ["the marker `world` is not understood", "unexpected keyword argument 'sead'"]),
        ("test_nobody", ["nobody called 'zaphod' can sign in", "who can: alice, "]),
        ("test_no_service", ["no service called 'sauna' takes tokens", "those that do: ticketing, organizations, api"]),
    ],
)
def test_a_mistake_is_told_with_what_to_do(report: str, test: str, sentences: list[str]) -> None:
    told = section(report, test)
    for sentence in sentences:
        assert sentence in told


def test_the_header_tells_seed_and_browser(report: str) -> None:
    assert re.search(r"^harness: world base, seed 1, browser /", report, re.MULTILINE), report


def test_the_run_leaves_nothing_and_nobody_is_hurt_by_what_another_left(
    report: str, inner: Inner, innocent: psutil.Process
) -> None:
    assert "test_inner.py" in report
    assert inner.leftovers() == []
    assert innocent.is_running()


def test_fixtures_are_documented(inner: Inner) -> None:
    told = inner.run("--fixtures", *QUICK).stdout
    for name in ("stack", "shared_stack", "as_user", "mcp_client", "page_as", "ticketing", "ui"):
        assert re.search(rf"^{name} .*-- \S*harness/plugin/\w+\.py:\d+\n    \S", told, re.MULTILINE), name
