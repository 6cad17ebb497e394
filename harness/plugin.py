"""The pytest plugin: fixtures around the library objects that the command line uses too, and evidence on failure.

``conftest.py`` of a project needs one line: ``pytest_plugins = ["harness.plugin"]``.
"""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Callable, Generator, Iterator
from itertools import count
from typing import TYPE_CHECKING, Any, ClassVar

import pytest
from xprocess import ProcessStarter, XProcess

from harness import browser, evidence, launch, state, web
from harness.control import Control
from harness.errors import SupervisorError
from harness.stack import Stack
from harness.topology import ROOT

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page

    from harness.person import Person

STACKS: pytest.StashKey[list[Stack]] = pytest.StashKey()
numbers = count(1)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the harness' options."""
    group = parser.getgroup("harness", "the simulated system [harness]")
    group.addoption("--seed", type=int, default=1, metavar="N", help="seed of the seeded world (default: 1)")
    group.addoption(
        "--backend",
        choices=("zygote", "process"),
        default="zygote",
        help="fork services from warm processes (default), or give each a fresh interpreter",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Prepare the list of running stacks, from which a failing test takes its evidence."""
    config.stash[STACKS] = []


def pytest_report_header(config: pytest.Config) -> list[str]:
    """What explains a failure: the seed and the browser."""
    return [f"harness: world seed {config.getoption('--seed')}, browser {browser.find() or 'none'}"]


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Collect without the garbage collector: modules only add up, and it looks through all of them again and again."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.fixture(scope="session")
def supervisor(xprocess: XProcess, pytestconfig: pytest.Config) -> Iterator[Control]:
    """The supervisor process of this pytest worker, owned by pytest-xprocess; it ends when the worker does."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    name = f"pytest-{worker}-{os.getpid()}"
    # Under a name of its own: xprocess shares its files between all runs of a checkout, and it would terminate
    # whoever has the pid today that a pid file of a former run names.
    info = xprocess.getinfo(name)
    if info.controldir.check():
        info.controldir.remove()

    class Starter(ProcessStarter):  # type: ignore[misc]
        args: ClassVar = launch.supervisor_command(name, backend=pytestconfig.getoption("--backend"))
        env: ClassVar = launch.supervisor_environment()
        popen_kwargs: ClassVar = {"cwd": str(ROOT), "stdin": launch.LEASH}
        timeout = launch.SUPERVISOR_STARTS_IN_S

        def startup_check(self) -> bool:
            if state.read(name) is not None:
                return True
            if not xprocess.getinfo(info.name).isrunning():  # xprocess itself would wait for a dead child
                raise SupervisorError(f"the supervisor {name!r} ended", evidence=info.logpath.read()[-2000:])
            return False

    xprocess.ensure(info.name, Starter, persist_logs=False)
    process = xprocess.resources[-1].popen
    record = state.read(name)
    if record is None:
        raise SupervisorError(f"the supervisor {name!r} ended", evidence=info.logpath.read()[-2000:])
    yield Control(record.control_port, record.secret)
    launch.hang_up(process)
    launch.forget(name)
    info.controldir.remove()


@pytest.fixture(scope="session")
def shared_stack(supervisor: Control, pytestconfig: pytest.Config) -> Iterator[Stack]:
    """One system for the whole session, on random ports: for scenarios that only read."""
    yield from _running(supervisor, pytestconfig)


@pytest.fixture
def stack(supervisor: Control, pytestconfig: pytest.Config) -> Iterator[Stack]:
    """A fresh system for this test alone: random ports, a freshly seeded world."""
    yield from _running(supervisor, pytestconfig)


def _running(supervisor: Control, config: pytest.Config) -> Iterator[Stack]:
    name = f"pytest-{os.getpid()}-{next(numbers)}"
    seed = config.getoption("--seed")
    with launch.stack_of(supervisor, name=name, choices=launch.choose("random"), seed=seed) as running:
        config.stash[STACKS].append(running)
        yield running
        config.stash[STACKS].remove(running)


def _stack_of(request: pytest.FixtureRequest) -> Stack:
    """The test's own stack if it asked for one, else the shared one."""
    wanted = "stack" if "stack" in request.fixturenames else "shared_stack"
    found: Stack = request.getfixturevalue(wanted)
    return found


@pytest.fixture
def as_user(request: pytest.FixtureRequest) -> Callable[[str], Person]:
    """``as_user("alice")``: somebody of the seeded world, signed in without a browser.

    Gives ``.token(audience)``, ``.api`` (an HTTP client) and ``.call_tool(service, tool, **arguments)``.
    """
    return _stack_of(request).sign_in


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """Playwright's launch arguments, with the browser of this machine."""
    headless = browser_type_launch_args.get("headless", True)
    found = browser.find(headless=headless)
    if found is None and "channel" not in browser_type_launch_args:
        raise browser.NoBrowserError("there is no browser for this scenario", todo=browser.how_to_get_one())
    return {"executable_path": found, "args": list(browser.ARGUMENTS), **browser_type_launch_args}


@pytest.fixture
def open_context(
    new_context: Callable[..., BrowserContext], request: pytest.FixtureRequest
) -> Iterator[Callable[[], BrowserContext]]:
    """Opens browser contexts whose relative URLs are the web interface of the test's stack.

    The test fails when a page logs an error, throws, or asks for anything that is not on this machine.
    """
    guards: list[evidence.PageGuard] = []

    def open_one() -> BrowserContext:
        url = _stack_of(request).url("ui")
        opened = new_context(base_url=url, locale="en-US", timezone_id="UTC", reduced_motion="reduce")
        guards.append(evidence.PageGuard(opened))
        return opened

    yield open_one
    complaints = [complaint for guard in guards for complaint in guard.complaints]
    if complaints:
        pytest.fail("the page misbehaved:\n" + "\n".join(complaints), pytrace=False)


@pytest.fixture
def context(open_context: Callable[[], BrowserContext]) -> BrowserContext:
    """The browser context of Playwright's ``page`` fixture: nobody is signed in."""
    return open_context()


@pytest.fixture
def page_as(open_context: Callable[[], BrowserContext]) -> Callable[[str], Page]:
    """``page_as("alice")``: a page of her own where she has signed in through the real login page."""
    return lambda username: web.sign_in(open_context().new_page(), username)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Remember where each log stood before the test."""
    item.stash[evidence.STARTED] = time.monotonic()
    item.stash[evidence.OFFSETS] = evidence.offsets(item.config.stash[STACKS])
    return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Give a failing test what each service wrote during it, and nothing older."""
    report = yield
    if report.failed:
        before = item.stash.get(evidence.OFFSETS, {})
        stacks = item.config.stash[STACKS]
        report.sections.extend(evidence.journal_sections(stacks, item.stash.get(evidence.STARTED, 0.0)))
        report.sections.extend(evidence.log_sections(stacks, before))
    return report
