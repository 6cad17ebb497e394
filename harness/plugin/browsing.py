"""Fixtures of the browser, on top of pytest-playwright's: pages of the test's system, signed in, and watched."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harness import browser, project, web
from harness.errors import HarnessError
from harness.plugin import evidence
from harness.plugin.fixtures import stack_of
from harness.plugin.systems import told
from harness.plugin.witness import Witness

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page, StorageState

    from harness.stack import Stack

WITNESSES: pytest.StashKey[list[Witness]] = pytest.StashKey()
MARKER = 'signed_in_as("alice"): who is signed in to the web interface in the fixtures `page` and `context`'
UI = "ui"
USUAL = {"locale": "en-US", "timezone_id": "UTC", "reduced_motion": "reduce"}


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line("markers", MARKER)


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """Playwright's launch arguments, with the browser of this machine."""
    headless = browser_type_launch_args.get("headless", True)
    with told():
        found = browser.find(headless=headless)
        if found is None and "channel" not in browser_type_launch_args:
            raise browser.NoBrowserError("there is no browser for this scenario", todo=browser.how_to_get_one())
    return {"executable_path": found, "args": list(browser.ARGUMENTS), **browser_type_launch_args}


@pytest.fixture(scope="session", autouse=True)
def delete_output_dir() -> None:
    """Nothing: every xdist worker would take away what the others have kept. The harness clears it before the tests."""


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> None:
    """Clear the folder of artefacts once, before any worker runs a test."""
    if not hasattr(session.config, "workerinput") and not session.config.getoption("collectonly"):
        shutil.rmtree(session.config.getoption("--output"), ignore_errors=True)


@pytest.fixture
def browser_base_url(request: pytest.FixtureRequest) -> str:
    """Where the relative URLs of the test's pages lead: the service ``ui``. Override it for another one."""
    with told():
        return stack_of(request).service(UI).url


@pytest.fixture(scope="session")
def browser_session() -> Callable[[Stack, str], StorageState]:
    """How somebody is signed in without the login page: ``(stack, username)`` to Playwright's storage state.

    Override it for an interface that keeps its session in another way than the one of this system.
    """

    def sign_in(stack: Stack, username: str) -> StorageState:
        if not project.services()[UI].own:
            raise HarnessError(
                f"nobody knows how {username!r} signs in to this project's web interface",
                todo="override the fixture `browser_session`",
            )
        return web.session(stack.url(UI), username)

    return sign_in


@pytest.fixture
def open_context(
    new_context: Callable[..., BrowserContext],
    browser_base_url: str,
    browser_session: Callable[[Stack, str], StorageState],
    request: pytest.FixtureRequest,
) -> Callable[..., BrowserContext]:
    """Opens browser contexts on the web interface of the test's system: ``open_context()``, ``open_context("alice")``.

    With a name, that person is signed in there, in a session of this context alone. The test fails when a page logs an
    error, throws, or asks for anything that is not on this machine. A failing test keeps screenshots and a Playwright
    trace of every context in its folder below ``--output``; the report says where.
    """
    witnesses: list[Witness] = []
    request.node.stash[WITNESSES] = witnesses
    tracing = request.config.getoption("--tracing") == "off"
    marker = request.node.get_closest_marker("browser_context_args")
    chosen = {**request.getfixturevalue("browser_context_args"), **(marker.kwargs if marker else {})}
    folder = Path(request.getfixturevalue("output_path"))

    def testify() -> list[evidence.Section]:
        titles = ["browser"] if len(witnesses) == 1 else [f"browser {n}" for n in range(1, len(witnesses) + 1)]
        return [
            (title, each.testify(folder, n)) for n, (title, each) in enumerate(zip(titles, witnesses, strict=True), 1)
        ]

    request.node.stash.setdefault(evidence.SOURCES, []).append(testify)

    def open_one(username: str | None = None) -> BrowserContext:
        usual: dict[str, Any] = {"base_url": browser_base_url, **USUAL}
        if username is not None:
            with told():
                usual["storage_state"] = browser_session(stack_of(request), username)
        opened = new_context(**{name: value for name, value in usual.items() if name not in chosen})
        witnesses.append(Witness(opened, tracing=tracing))
        return opened

    return open_one


@pytest.fixture
def context(open_context: Callable[..., BrowserContext], request: pytest.FixtureRequest) -> BrowserContext:
    """The browser context of Playwright's ``page``: on the web interface of the test's system.

    Nobody is signed in, unless the test is marked ``@pytest.mark.signed_in_as("alice")``: then she is, without the
    login page.
    """
    marker = request.node.get_closest_marker("signed_in_as")
    if marker is None:
        return open_context()
    with told():
        if len(marker.args) != 1 or marker.kwargs:
            raise HarnessError(
                "the marker `signed_in_as` is not understood",
                evidence=str(marker),
                todo='@pytest.mark.signed_in_as("alice")',
            )
    return open_context(marker.args[0])


@pytest.fixture
def page_as(open_context: Callable[..., BrowserContext]) -> Callable[[str], Page]:
    """``page_as("alice")``: the start page of the web interface, where she is signed in, in a browser of her own."""

    def open_one(username: str) -> Page:
        page = open_context(username).new_page()
        page.goto("/")
        if project.services()[UI].own:
            page.wait_for_url(f"**{web.START}")
        return page

    return open_one


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Fail a test whose pages did what no user should meet, while the browser can still show it."""
    result = yield
    witnesses = item.stash.get(WITNESSES, [])
    for witness in witnesses:
        witness.settle()
    complaints = [complaint for witness in witnesses for complaint in witness.complaints]
    if complaints:
        pytest.fail("the page misbehaved:\n" + "\n".join(complaints), pytrace=False)
    return result
