"""Fixtures that need no browser: systems, their services, people, and MCP clients."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import psutil
import pytest
from xprocess import ProcessStarter, XProcess

from harness import choices, launch, project, state
from harness.choices import CHOICES
from harness.control import Control
from harness.errors import HarnessError, SupervisorError
from harness.mcp_client import McpClient
from harness.plan import closure
from harness.stack import RunningService, Stack
from harness.systems import SYSTEMS, World, told
from harness.topology import ROOT

if TYPE_CHECKING:
    from harness.attached import AttachedStack
    from harness.person import Person

LOG_TAIL = 2000
NAMED = "_services_by_name"
IN_A_BROWSER = ("page", "context", "open_context", "page_as")
OF_A_SYSTEM = ("stack", "shared_stack", "supervisor", "as_user", "mcp_client", *IN_A_BROWSER)


@pytest.fixture(scope="session")
def supervisor(request: pytest.FixtureRequest) -> Iterator[Control]:
    """The supervisor process of this pytest worker, owned by pytest-xprocess; it ends when the worker does."""
    config = request.config
    if not config.pluginmanager.hasplugin("cacheprovider"):
        pytest.fail(
            "pytest-xprocess keeps its files in pytest's cache\n  → leave out -p no:cacheprovider", pytrace=False
        )
    xprocess: XProcess = request.getfixturevalue("xprocess")
    _sweep(xprocess)
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    name = f"pytest-{worker}-{os.getpid()}"
    # Under a name of its own: xprocess shares its files between all runs of a checkout, and it would terminate
    # whoever has the pid today that a pid file of a former run names.
    info = xprocess.getinfo(name)
    if info.controldir.check():
        info.controldir.remove()
    systems = config.stash[SYSTEMS]

    class Starter(ProcessStarter):  # type: ignore[misc]
        args: ClassVar = launch.supervisor_command(name, backend=config.stash[CHOICES].backend, services=systems.warm)
        env: ClassVar = launch.supervisor_environment()
        popen_kwargs: ClassVar = {"cwd": str(ROOT), "stdin": launch.LEASH}
        timeout = launch.SUPERVISOR_STARTS_IN_S

        def startup_check(self) -> bool:
            if state.read(name) is not None:
                return True
            if not xprocess.getinfo(info.name).isrunning():  # xprocess itself would wait for a dead child
                raise SupervisorError(f"the supervisor {name!r} ended", evidence=info.logpath.read()[-LOG_TAIL:])
            return False

    with told():
        xprocess.ensure(info.name, Starter, persist_logs=False)
        process = xprocess.resources[-1].popen
        record = state.read(name)
        if record is None:
            raise SupervisorError(f"the supervisor {name!r} ended", evidence=info.logpath.read()[-LOG_TAIL:])
    systems.supervisor_log = Path(info.logpath)
    control = Control(record.control_port, record.secret)
    yield control
    _clear(keep={stack.name for stack in systems.kept})
    if systems.kept:
        with told():
            control.call("keep")
        process.returncode = 0  # Popen would warn of a child that lives on, as it shall
        return
    launch.hang_up(process)
    launch.forget(name)
    info.controldir.remove()


def _clear(keep: set[str]) -> None:
    """Remove the folders of our systems that did not start; the others have gone with them."""
    for folder in state.stack_folder("").glob(f"pytest-{os.getpid()}-*"):
        if folder.name not in keep:
            shutil.rmtree(folder, ignore_errors=True)


def _sweep(xprocess: XProcess) -> None:
    """Remove what killed runs left with xprocess: ``--xkill`` would end whoever has their pids today."""
    for folder in xprocess.rootdir.listdir():
        prefix, _, owner = folder.basename.rpartition("-")
        ours = prefix.startswith("pytest-") and owner.isdigit()
        if ours and not psutil.pid_exists(int(owner)) and state.read(folder.basename) is None:
            folder.remove(ignore_errors=True)


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
    yield from _running(request, World(seed=chosen.seed), ports=ports)


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
        elif chosen.stack == choices.SHARED and world == World(seed=chosen.seed):
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
def _begun_anew(request: pytest.FixtureRequest, supervisor: Control) -> Iterator[Callable[[], Stack]]:
    """The system of ``--stack=shared``: as at its beginning each time it is asked for."""
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
            world, only = World(seed=chosen.seed), systems.warm or None
            started = contextmanager(_running)(request, world, ports=chosen.ports, only=only)
            current[:] = [opened.enter_context(started)]
            return current[0]

        yield take


@pytest.fixture(scope="session")
def _attached_stack(request: pytest.FixtureRequest) -> Iterator[AttachedStack]:
    """The system of ``--stack=attach``."""
    from harness.attached import attach  # noqa: PLC0415  # the command line, which no other mode needs

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
def as_user(request: pytest.FixtureRequest) -> Iterator[Callable[[str], Person]]:
    """``as_user("alice")``: somebody of the seeded world, signed in without a browser when a token is first needed.

    Gives ``.token(audience)``, ``.api`` (an HTTP client of the REST API), ``.call_tool(service, tool, **arguments)``
    and ``.mcp(service)`` (FastMCP's client). Belongs to the test's ``stack`` or services, else to ``shared_stack``.
    """
    found = stack_of(request)
    people: list[Person] = []

    def sign_in(username: str) -> Person:
        people.append(found.sign_in(username))
        return people[-1]

    yield sign_in
    for person in people:
        person.close()


@pytest.fixture
def mcp_client(as_user: Callable[[str], Person]) -> Iterator[Callable[..., McpClient]]:
    """``mcp_client("ticketing", "alice")``: FastMCP's client of an MCP server, connected as somebody.

    Its coroutines are called like functions: ``client.call_tool("get_ticket", {"key": "ACME-1"}).data``. In a test that
    is a coroutine: ``async with mcp_client("ticketing", "alice") as client: await client.list_tools()``.
    ``mode="legacy"`` speaks the older protocol, ``scope`` asks for a smaller token.
    """
    with ExitStack() as opened:

        def connect(service: str, username: str, *, mode: str = "auto", scope: str | None = None) -> McpClient:
            client = McpClient(as_user(username).mcp(service, mode=mode, scope=scope))
            opened.callback(client.close)
            return client

        yield connect
