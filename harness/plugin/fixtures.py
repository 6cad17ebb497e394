"""Fixtures that need no browser: systems, their services, people, and MCP clients."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

import pytest

from harness import project
from harness.control import Control
from harness.errors import HarnessError
from harness.mcp_client import McpClient
from harness.plan import closure
from harness.plugin import choices, worker
from harness.plugin.choices import CHOICES
from harness.plugin.systems import SYSTEMS, World, told
from harness.stack import RunningService, Stack

if TYPE_CHECKING:
    from harness.person import Person
    from harness.plugin.attached import AttachedStack

NAMED = "_services_by_name"
IN_A_BROWSER = ("page", "context", "open_context", "page_as")
OF_A_SYSTEM = ("stack", "shared_stack", "supervisor", "as_user", "mcp_client", *IN_A_BROWSER)
TAKEN = (
    *OF_A_SYSTEM,
    *("request", "browser", "playwright", "base_url", "xprocess", "worker_id", "testrun_uid", "subtests"),
    *("cache", "capfd", "capfdbinary", "caplog", "capsys", "capsysbinary", "capteesys", "doctest_namespace"),
    *("monkeypatch", "pytestconfig", "pytester", "recwarn", "record_property", "record_testsuite_property"),
    *("record_xml_attribute", "testdir", "tmp_path", "tmp_path_factory", "tmpdir", "tmpdir_factory"),
)
"""No service has a fixture of such a name; ``stack.service("browser")`` gives the same."""


@pytest.fixture(scope="session")
def supervisor(request: pytest.FixtureRequest) -> Iterator[Control]:
    """The supervisor process of this pytest worker, owned by pytest-xprocess; it ends when the worker does."""
    with told():
        if not request.config.pluginmanager.hasplugin("cacheprovider"):
            raise HarnessError(
                "pytest-xprocess keeps its files in pytest's cache, and there is none",
                todo="leave out -p no:cacheprovider",
            )
        with worker.supervised(worker.owner(request), request.config) as control:
            yield control


@pytest.fixture(scope="session")
def shared_stack(request: pytest.FixtureRequest) -> Iterator[Stack]:
    """One system for all tests of the session that ask for it, on random ports: for tests that only read.

    With ``--stack=attach`` it is the system that ``python -m harness up`` runs in this checkout.
    """
    config = request.config
    chosen = config.stash[CHOICES]
    if chosen.stack == choices.ATTACH:
        yield request.getfixturevalue("_attached_stack")
        return
    ports = "random" if config.stash[SYSTEMS].some_are_fresh else chosen.ports
    yield from _running(request, World.chosen(chosen), ports=ports)


@pytest.fixture
def stack(request: pytest.FixtureRequest) -> Iterator[Stack]:
    """A fresh system for this test alone: random ports, a freshly seeded world.

    ``.url("api")``, ``.sign_in("alice")``, ``.restart("idp")``, ``.reset()``, ``.journal()``, ``.log("ui")`` …
    ``@pytest.mark.world("base", seed=7)`` chooses its world. With ``--stack=shared`` all tests get the same system, its
    world begun anew before each; with ``--stack=attach`` it is the one of ``python -m harness up``, as it stands.
    """
    yield from _own(request, None)


def _own(request: pytest.FixtureRequest, only: tuple[str, ...] | None) -> Iterator[Stack]:
    chosen = request.config.stash[CHOICES]
    with told():
        world = World.of(request.node, chosen)
        if chosen.stack == choices.ATTACH:
            attached: AttachedStack = request.getfixturevalue("_attached_stack")
            if request.node.get_closest_marker("world") and world != World(attached.world, attached.seed):
                pytest.skip(f"needs another world than the running system has: {world}")
            attached.verify()
            yield attached
        elif chosen.stack == choices.SHARED and world == World.chosen(chosen):
            yield request.getfixturevalue("_begun_anew")()
        else:
            yield from _running(request, world, only=only, ports=chosen.ports)


def _running(
    request: pytest.FixtureRequest, world: World, *, ports: str, only: tuple[str, ...] | None = None
) -> Iterator[Stack]:
    control: Control = request.getfixturevalue("supervisor")
    with (
        told(),
        request.config.stash[SYSTEMS].start(control, world=world, only=only, ports=ports) as running,
    ):
        yield running


@pytest.fixture(scope="session")
def _begun_anew(request: pytest.FixtureRequest) -> Iterator[Callable[[], Stack]]:
    """The system of ``--stack=shared``: as at its beginning each time it is asked for."""
    request.getfixturevalue("supervisor")  # now, so that it is still there when we end
    config = request.config
    chosen, systems = config.stash[CHOICES], config.stash[SYSTEMS]
    current: list[Stack] = []
    with ExitStack() as opened:

        def take() -> Stack:
            if current and current[0] not in systems.kept:
                try:
                    current[0].reset()
                except HarnessError:  # a test has left it broken, or killed
                    opened.close()
                else:
                    return current[0]
            world, only = World.chosen(chosen), systems.warm or None
            started = contextmanager(_running)(request, world, ports=chosen.ports, only=only)
            current[:] = [opened.enter_context(started)]
            return current[0]

        yield take


@pytest.fixture(scope="session")
def _attached_stack(request: pytest.FixtureRequest) -> Iterator[AttachedStack]:
    """The system of ``--stack=attach``."""
    from harness.plugin.attached import attach  # noqa: PLC0415  # the command line, which no other mode needs

    with told():
        attached = attach()
    running = request.config.stash[SYSTEMS].running
    running.append(attached)
    yield attached
    running.remove(attached)
    attached.close()


def services_of(names: Sequence[str]) -> tuple[str, ...] | None:
    """What a test with these fixtures starts if it asks for services by name and for no whole system."""
    if NAMED not in names or "stack" in names or "shared_stack" in names:
        return None
    asked = [service for service in project.services() if fixture_name(service) in names]
    if "ui" in project.services() and any(name in names for name in IN_A_BROWSER):
        asked.append("ui")
    return closure(asked)


def starts_something(names: Sequence[str]) -> bool:
    """Whether a test with these fixtures has anything to do with a system."""
    return any(name in OF_A_SYSTEM for name in names) or services_of(names) is not None


def used_by(item: pytest.Item) -> list[Stack]:
    """The systems that a test was given, or could have got at."""
    given = getattr(item, "funcargs", {}).values()
    handles = [value.stack if isinstance(value, RunningService) else value for value in given]
    systems = item.config.stash[SYSTEMS].running
    direct = [stack for stack in systems if any(stack is handle for handle in handles)]
    return direct or (list(systems) if starts_something(getattr(item, "fixturenames", ())) else [])


def fixture_name(service: str) -> str:
    """What the fixture of a service is called."""
    return service.replace("-", "_")


@pytest.fixture
def _part(request: pytest.FixtureRequest) -> Iterator[Stack]:
    """The system of a test that asks for services by name: those, and what they need."""
    yield from _own(request, services_of(request.fixturenames))


@pytest.fixture
def _services_by_name() -> None:
    """Nothing: it shows that a test asks for one of our services, and not for a fixture of its own of that name."""


def service_fixture(name: str) -> object:
    """The fixture of one service, named as the service."""
    title = project.services()[name].title or name

    def give(request: pytest.FixtureRequest, _services_by_name: None) -> RunningService:
        with told():
            return stack_of(request).service(name)

    give.__doc__ = (
        f"{title}, alone with what it needs: `.url`, `.audience`, `.log()`, `.journal()`, `.restart()`, `.stack`.\n\n"
        "Fresh for this test, and in one system with the other services it asks for by name; of `stack` or\n"
        "`shared_stack` where the test asks for one of these, too."
    )
    return pytest.fixture(name=fixture_name(name))(give)


def stack_of(request: pytest.FixtureRequest) -> Stack:
    """The system a test is about: its own, whole or in part, else the shared one."""
    names = request.fixturenames
    if "stack" in names:
        wanted = "stack"
    elif "shared_stack" in names or services_of(names) is None:
        wanted = "shared_stack"
    else:
        wanted = "_part"
    found: Stack = request.getfixturevalue(wanted)
    return found


@pytest.fixture
def as_user(request: pytest.FixtureRequest) -> Iterator[Callable[..., Person]]:
    """``as_user("alice")``: somebody of the seeded world, signed in without a browser when a token is first needed.
    ``as_user("nora", organization="globex")`` is what she is in the second of her organizations.

    Gives ``.token(audience)``, ``.api`` (an HTTP client of the REST API), ``.call_tool(service, tool, **arguments)``
    and ``.mcp(service)`` (FastMCP's client). Belongs to the test's ``stack`` or services, else to ``shared_stack``.
    """
    found = stack_of(request)
    people: list[Person] = []

    def sign_in(username: str, *, organization: str | None = None) -> Person:
        people.append(found.sign_in(username, organization=organization))
        return people[-1]

    yield sign_in
    for person in people:
        person.close()


@pytest.fixture
def mcp_client(as_user: Callable[[str], Person]) -> Iterator[Callable[..., McpClient]]:
    """``mcp_client("ticketing", "alice")``: FastMCP's client of an MCP server, connected as somebody.

    Its coroutines are called like functions: ``client.call_tool("get_ticket", {"key": "ACME-1"}).data``. In a test that
    is a coroutine: ``async with mcp_client("ticketing", "alice") as client: await client.list_tools()``.
    ``mode="legacy"`` speaks the older protocol, ``scope`` asks for a smaller token, ``approve`` is what somebody says
    who is asked before a tool destroys something.
    """
    with ExitStack() as opened:

        def connect(
            service: str, username: str, *, mode: str = "auto", scope: str | None = None, approve: bool | None = None
        ) -> McpClient:
            client = McpClient(as_user(username).mcp(service, mode=mode, scope=scope, approve=approve))
            opened.callback(client.close)
            return client

        yield connect
