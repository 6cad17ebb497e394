"""``up``: start the system and keep it in the foreground until Ctrl-C, or leave it running with ``--detach``."""

from __future__ import annotations

import argparse
import contextlib
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from harness import launch, project, state
from harness.cli import system
from harness.cli.render import Report, render
from harness.control import Control
from harness.errors import AlreadyRunningError, HarnessError
from harness.plan import closure
from harness.ports import OFFSET

BACKEND_HELP = "fork services from warm processes (default), or give each a fresh interpreter"


def register(commands: Any) -> None:
    """Add the verb to the command line."""
    parser = commands.add_parser("up", help="start the five services", description=__doc__)
    parser.add_argument("--ports", choices=("configured", "random"), default="configured")
    parser.add_argument(
        "--port", action="append", default=[], metavar="SERVICE=NUMBER", help="set one port; repeatable"
    )
    parser.add_argument("--port-offset", metavar="N", help="shift every default port")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="of the seeded world (default: 1)")
    parser.add_argument("--world", default="base", metavar="NAME", help="the seeded world (default: base)")
    parser.add_argument("--only", metavar="A,B", help="start only these services and what they need")
    parser.add_argument("--backend", choices=("zygote", "process"), default="zygote", help=BACKEND_HELP)
    parser.add_argument("--detach", action="store_true", help="return when all is healthy; `down` stops it")
    system.add_json(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> Report | None:
    """Start, show where everything answers, and stay until Ctrl-C, SIGTERM, SIGHUP or ``down``."""
    choices = launch.choose(arguments.ports, flags=_flags(arguments))
    running = state.read(system.NAME)
    if running is not None:
        raise AlreadyRunningError(
            "the system of this checkout is running already",
            evidence=f"its supervisor is pid {running.pid}",
            todo="look at it: python -m harness status\nstop it: python -m harness down",
        )
    services = closure(None if arguments.only is None else arguments.only.split(","))
    with _terminal_signals(), _supervisor(arguments, services) as control:
        stack = launch.start(
            control,
            name=system.NAME,
            choices=choices,
            seed=arguments.seed,
            world=arguments.world,
            only=services,
            on_event=_tell,
        )
        report = system.report(stack.describe())
        if arguments.detach:
            return report
        with contextlib.suppress(KeyboardInterrupt):
            render(report, as_json=arguments.json)
            print("Ctrl-C stops everything. Logs: python -m harness logs --follow", file=sys.stderr, flush=True)
            control.call("watch", on_event=_tell)
        print("\nstopping …", file=sys.stderr, flush=True)
    print("stopped; nothing is left running", file=sys.stderr)
    return None


@contextlib.contextmanager
def _supervisor(arguments: argparse.Namespace, services: Sequence[str]) -> Iterator[Control]:
    detached: bool = arguments.detach
    process = launch.spawn(system.NAME, detached=detached, backend=arguments.backend, services=services)
    try:
        yield launch.connect(system.NAME, process)
    except BaseException:
        _stop(process)
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


def _tell(event: Mapping[str, Any]) -> None:
    """One line per change of a service, on standard error."""
    if event["state"] == "healthy":
        print(f"· {event['service']}: healthy after {event['ready_s']:.2f} s", file=sys.stderr, flush=True)
    elif event["state"] in ("crashed", "unhealthy"):
        ended = "" if event["exit_code"] is None else f" with exit code {event['exit_code']}"
        print(f"· {event['service']}: {event['state']}{ended}; log: {event['log']}", file=sys.stderr, flush=True)
        # What never was healthy is told by the error that ends the command.
        for line in event.get("log_tail", "").splitlines() if event["ready_s"] is not None else ():
            print(f"  | {line}", file=sys.stderr, flush=True)


def _flags(arguments: argparse.Namespace) -> dict[str, str]:
    variables = {port.service: port.variable for port in project.port_map()}
    flags = {OFFSET: arguments.port_offset} if arguments.port_offset is not None else {}
    for given in arguments.port:
        service, separator, number = given.partition("=")
        if not separator or service not in variables:
            raise HarnessError(f"--port {given!r} is not SERVICE=NUMBER", todo=f"services: {', '.join(variables)}")
        flags[variables[service]] = number
    if flags and arguments.ports == "random":
        raise HarnessError("--ports random takes no --port and no --port-offset", todo="leave one of them out")
    return flags
