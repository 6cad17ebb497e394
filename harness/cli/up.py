"""``up``: start the system and keep it in the foreground until Ctrl-C, or leave it running with ``--detach``."""

from __future__ import annotations

import argparse
import contextlib
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from harness import launch, project, state, timeline, worlds
from harness.cli import live, system, timings
from harness.cli.arguments import text
from harness.cli.render import Report, render
from harness.cli.stream import Stream, tell
from harness.control import Control
from harness.errors import AlreadyRunningError, HarnessError
from harness.logbook import Log, merged
from harness.plan import closure
from harness.ports import OFFSET
from harness.timeline import Beginning

POLL_S = 0.1
Changes: TypeAlias = "queue.SimpleQueue[Mapping[str, Any] | HarnessError | None]"
STOPPED = "stopped; nothing is left running"
BACKEND_HELP = "fork services from warm processes (default), or give each a fresh interpreter"


def register(commands: Any) -> None:
    """Add the verb to the command line."""
    parser = commands.add_parser("up", help="start the system", description=__doc__)
    parser.add_argument("--ports", choices=("configured", "random"), default="configured")
    parser.add_argument(
        "--port", action="append", default=[], metavar="SERVICE=NUMBER", help="set one port; repeatable"
    )
    parser.add_argument("--port-offset", type=text, metavar="N", help="shift every default port")
    system.add_world(parser)
    parser.add_argument("--only", metavar="A,B", help="start only these services and what they need")
    parser.add_argument("--backend", choices=("zygote", "process"), default="zygote", help=BACKEND_HELP)
    parser.add_argument("--detach", action="store_true", help="return when all is healthy; `down` stops it")
    parser.add_argument("--watch", action="store_true", help="restart what has changed; ui by `ng serve`")
    parser.add_argument("--timings", action="store_true", help="show what the start took, and what it waited for")
    system.add_json(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> Report | None:
    """Start, show where everything answers, and stay until Ctrl-C, SIGTERM, SIGHUP or ``down``."""
    began = time.monotonic()
    if arguments.watch and arguments.detach:
        raise HarnessError("--watch needs the foreground", todo="leave --detach out")
    _refuse_a_second()
    world = worlds.chosen(arguments.world)
    services = closure(None if arguments.only is None else arguments.only.split(","))
    choices = launch.choose(arguments.ports, only=services, flags=_flags(arguments))
    with _terminal_signals(), _supervisor(arguments, services) as control:
        supervised = time.monotonic()
        with live.shown(services) as on_event:
            stack = launch.start(
                control,
                name=system.NAME,
                choices=choices,
                seed=arguments.seed,
                world=world,
                only=services,
                on_event=on_event,
                restarts=True,
                watch=arguments.watch,
            )
        changes = None if arguments.detach else _watch(control)  # before we look, so that nothing is missed
        described = stack.describe()
        report = system.report(described)
        if arguments.timings:
            report = timings.added(report, Beginning(timeline.process_began(), began, supervised))
        if changes is None:
            return report
        with contextlib.suppress(KeyboardInterrupt), _following_sources(control, services if arguments.watch else ()):
            render(report, as_json=arguments.json)
            print("Ctrl-C stops everything.", file=sys.stderr, flush=True)
            if arguments.json:
                _tell(changes)
            else:
                _follow(changes, described["services"])
        print("\nstopping …", file=sys.stderr, flush=True)
    print(STOPPED, file=sys.stderr)
    return None


@contextlib.contextmanager
def _following_sources(control: Control, services: Sequence[str]) -> Iterator[None]:
    """Restart ``services`` whose sources change; none means that nothing is followed."""
    if not services:
        yield
        return
    from harness import watch  # noqa: PLC0415  # a library that nothing else needs

    sources = watch.Sources(project.folder(), [project.services()[name] for name in services])
    done = threading.Event()

    def say(what: str) -> None:
        print(f"· {what}", file=sys.stderr, flush=True)

    following = threading.Thread(
        target=watch.follow, args=(control, system.NAME, sources), kwargs={"until": done, "say": say}, daemon=True
    )
    following.start()
    try:
        yield
    finally:
        done.set()
        following.join()


def _refuse_a_second() -> None:
    running = state.read(system.NAME)
    if running is not None:
        raise AlreadyRunningError(
            "the system of this checkout is running already",
            evidence=f"its supervisor is pid {running.pid}",
            todo="look at it: python -m harness status\nstop it: python -m harness down",
        )


def _watch(control: Control) -> Changes:
    """Every change of a service from now on; None when the system has ended, and why if it was not asked to."""
    changes: Changes = queue.SimpleQueue()

    def watch() -> None:
        try:
            control.call("watch", on_event=changes.put)
            changes.put(None)
        except HarnessError as error:
            changes.put(error)

    threading.Thread(target=watch, name="watch", daemon=True).start()
    return changes


def _next(changes: Changes, *, within: float | None = None) -> Mapping[str, Any] | None:
    told = changes.get(timeout=within)
    if isinstance(told, HarnessError):
        raise told
    return told


def _tell(changes: Changes) -> None:
    """Tell changes on standard error until the system ends; standard output is one document."""
    while (change := _next(changes)) is not None:
        tell(change)


def _follow(changes: Changes, services: Mapping[str, Mapping[str, Any]]) -> None:
    """Show what the services write and what becomes of them, until the system ends."""
    # From here on only: a screenful of start-up messages would push the table of URLs off the screen.
    logs = [Log(name, Path(service["log"]), tail=0) for name, service in services.items()]
    stream = Stream(tuple(services), out=sys.stdout, err=sys.stderr)
    while True:
        with contextlib.suppress(queue.Empty):
            change = _next(changes, within=POLL_S)
            stream.lines(merged(logs))  # what it wrote before it changed
            if change is None:
                return
            stream.change(change)
        stream.lines(merged(logs))


@contextlib.contextmanager
def _supervisor(arguments: argparse.Namespace, services: Sequence[str]) -> Iterator[Control]:
    detached: bool = arguments.detach
    process = launch.spawn(
        system.NAME,
        detached=detached,
        backend=arguments.backend,
        services=services,
        watch=arguments.watch,
        env=launch.settings(),
    )
    try:
        yield launch.connect(system.NAME, process)
    except BaseException as error:
        _stop(process)
        if isinstance(error, KeyboardInterrupt):
            print(STOPPED, file=sys.stderr)
        raise
    if not detached:
        _stop(process)


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    launch.hang_up(process)


@contextlib.contextmanager
def _terminal_signals() -> Iterator[None]:
    """SIGTERM and SIGHUP end ``up`` as Ctrl-C does; given back afterwards."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    numbers = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    before = {number: signal.signal(number, interrupt) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _flags(arguments: argparse.Namespace) -> dict[str, str]:
    variables = {port.service: port.variable for port in project.port_map()}
    flags = {OFFSET: arguments.port_offset} if arguments.port_offset is not None else {}
    for given in arguments.port:
        service, separator, number = given.partition("=")
        if not separator or not number.strip() or service not in variables:
            raise HarnessError(f"--port {given!r} is not SERVICE=NUMBER", todo=f"services: {', '.join(variables)}")
        if variables[service] in flags:
            raise HarnessError(
                f"--port sets {service} twice",
                evidence=f"to {flags[variables[service]]} and to {number}",
                todo="leave one of them out",
            )
        flags[variables[service]] = number
    if flags and arguments.ports == "random":
        raise HarnessError("--ports random takes no --port and no --port-offset", todo="leave one of them out")
    return flags
