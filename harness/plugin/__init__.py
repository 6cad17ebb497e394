"""The pytest plugin: fixtures around the library objects that the command line uses too, and evidence on failure.

``conftest.py`` of a project needs one line: ``pytest_plugins = ["harness.plugin"]``. Fixtures are described by
``pytest --fixtures``, options by ``pytest --help``.
"""

from __future__ import annotations

import gc
from collections.abc import Generator, Sequence
from types import ModuleType

import pytest

from harness import launch, project
from harness.errors import HarnessError
from harness.plugin import choices, evidence, fixtures, kept
from harness.plugin.choices import ATTACH, CHOICES
from harness.plugin.systems import SYSTEMS, Systems
from harness.plugin.workers import Interruption

MARKERS = (
    'world(name="base", seed=N): the seeded world that the system of this test begins with',
    "destructive: kills, restarts or otherwise disturbs its system; skipped with --stack=attach",
)
BROWSER = "playwright"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the harness' options."""
    choices.add_options(parser)


def pytest_configure(config: pytest.Config) -> None:
    """Check the options, and add what depends on the project: a fixture per service, and those of a browser."""
    config.stash[CHOICES] = choices.read(config)
    config.stash[SYSTEMS] = Systems()
    config.pluginmanager.register(Interruption(config), "harness-interruption")
    for marker in MARKERS:
        config.addinivalue_line("markers", marker)
    services = ModuleType("harness.services", "A fixture for every service of the project.")
    try:
        for name in project.services():
            if fixtures.fixture_name(name) not in fixtures.TAKEN:
                setattr(services, fixtures.fixture_name(name), fixtures.service_fixture(name))
    except HarnessError as error:
        raise choices.as_usage(error) from error
    config.pluginmanager.register(fixtures, "harness-fixtures")
    config.pluginmanager.register(services, "harness-services")
    if config.pluginmanager.hasplugin(BROWSER):
        from harness.plugin import browsing  # noqa: PLC0415  # after Playwright's own, whose fixtures it refines

        config.pluginmanager.register(browsing, "harness-browsing")


def pytest_sessionstart(session: pytest.Session) -> None:
    """Look at once for the system to attach to and the ports to use, and end what an earlier session has kept."""
    config = session.config
    if hasattr(config, "workerinput"):
        return
    try:
        launch.choose(config.stash[CHOICES].ports)
    except HarnessError as error:
        raise choices.as_usage(error) from error
    if config.stash[CHOICES].stack == ATTACH:
        from harness.plugin import attached  # noqa: PLC0415  # the command line, which no other mode needs

        try:
            attached.attach()
        except HarnessError as error:
            raise choices.as_usage(error) from error
    elif config.stash[CHOICES].keep:
        kept.end_all()


def pytest_report_header(config: pytest.Config) -> list[str]:
    """What explains a failure: the system, its seed and the browser."""
    chosen = config.stash[CHOICES]
    told = ["the running system" if chosen.stack == ATTACH else f"world {chosen.world}, seed {chosen.seed}"]
    if chosen.stack == choices.SHARED:
        told.append("one system for all tests")
    if config.pluginmanager.hasplugin(BROWSER):
        from harness import browser  # noqa: PLC0415  # not everybody wants one

        told.append(f"browser {browser.find() or 'none'}")
    return [f"harness: {', '.join(told)}"]


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Collect no garbage meanwhile, and never look again at what was made: modules and tests stay until the end.

    It takes almost half the time of collecting some thousand tests, and a tenth of running them.
    """
    usual = gc.isenabled()
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        if usual:
            gc.enable()


def pytest_collection_modifyitems(config: pytest.Config, items: Sequence[pytest.Item]) -> None:
    """Leave the running system in peace."""
    if config.stash[CHOICES].stack == ATTACH:
        disturbs = pytest.mark.skip(reason="destructive: it would disturb the running system (--stack=attach)")
        for item in items:
            if item.get_closest_marker("destructive"):
                item.add_marker(disturbs)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Tell what the supervisor is going to start, so that it warms nothing else."""
    systems = session.config.stash[SYSTEMS]
    asked = [getattr(item, "fixturenames", ()) for item in session.items]
    named = [fixtures.services_of(names) for names in asked if fixtures.starts_something(names)]
    whole = sum("stack" in names for names in asked)
    systems.spare = whole > 1 and session.config.stash[CHOICES].stack == choices.FRESH
    systems.some_are_fresh = any("stack" in names for names in asked) or any(named)
    if named and all(named):
        systems.warm = tuple(name for name in project.services() if any(name in (each or ()) for each in named))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Remember where each log stood before the test."""
    evidence.begin(item, item.config.stash[SYSTEMS])
    return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Give a failing test what each service was asked and wrote during it, and nothing older."""
    report = yield
    if report.failed:
        systems = item.config.stash[SYSTEMS]
        report.sections += evidence.sections(item, systems)
        if item.config.stash[CHOICES].keep and report.when != "teardown":
            used = fixtures.used_by(item)
            report.sections += kept.sections(used, systems.keep(used))
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what was kept running, where it answers, and how it is ended."""
    failed = [report for kind in ("failed", "error") for report in terminalreporter.stats.get(kind, ())]
    texts = {
        text: report.nodeid
        for report in failed
        for title, text in getattr(report, "sections", ())
        if title == kept.TITLE
    }
    if texts:
        terminalreporter.section(kept.TITLE)
        for text, nodeid in texts.items():
            terminalreporter.write_line(f"{nodeid}\n{text}")
        terminalreporter.write_line(kept.HOW_TO_END)
