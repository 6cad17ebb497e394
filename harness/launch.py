"""Starting a supervisor and asking it for a stack: the one path of ``up``, of the fixtures and of scripts."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from dotenv import dotenv_values

from harness import bundle, ports, project, state, worlds
from harness.bootstrap import child_environment
from harness.control import Control, Emit
from harness.errors import AlreadyRunningError, HarnessError, SupervisorError
from harness.logbook import last_lines
from harness.plan import closure
from harness.ports import Source
from harness.stack import Stack
from harness.topology import ROOT, Kind

SUPERVISOR_STARTS_IN_S = 15.0
LOG_TAIL_LINES = 20
LEASH = subprocess.PIPE


@contextlib.contextmanager
def running(
    *,
    ports: str = "random",
    seed: int = 1,
    world: str = worlds.DEFAULT,
    only: Sequence[str] | None = None,
    backend: Kind = "zygote",
) -> Iterator[Stack]:
    """A running system for the length of a ``with`` block, stopped without a trace afterwards.

    Args:
        ports: ``"random"``, or ``"configured"`` for the port map (environment, ``.env``, defaults).
        seed: of the seeded world; same seed, same ids.
        world: ``"small"``, ``"base"``, ``"large"``, or the path of a file ``….yaml`` that describes one.
        only: services to start, with all they need; None for all.
        backend: ``"zygote"`` forks services from warm processes, ``"process"`` gives each a fresh interpreter.

    Raises:
        HarnessError, PortConfigurationError, PortTakenError: before anything is started.
        NotReadyError: a service did not become healthy; nothing is left running.
    """
    world = worlds.chosen(world)
    with (
        supervised(f"script-{os.getpid()}", backend=backend, services=closure(only)) as control,
        stack_of(
            control, name=f"script-{os.getpid()}", choices=choose(ports, only=only), seed=seed, world=world, only=only
        ) as stack,
    ):
        yield stack


@contextlib.contextmanager
def stack_of(
    control: Control,
    *,
    name: str,
    choices: Mapping[str, Sequence[Any]],
    seed: int = 1,
    world: str = worlds.DEFAULT,
    only: Sequence[str] | None = None,
    on_event: Emit | None = None,
    spare: bool = False,
) -> Iterator[Stack]:
    """A stack of a supervisor that runs already; it is stopped and its folder removed at the end."""
    stack = start(
        control, name=name, choices=choices, seed=seed, world=world, only=only, on_event=on_event, spare=spare
    )
    try:
        yield stack
    finally:
        stack.close()
        control.call("stop", name=name)


def start(
    control: Control,
    *,
    name: str,
    choices: Mapping[str, Sequence[Any]],
    seed: int = 1,
    world: str = worlds.DEFAULT,
    only: Sequence[str] | None = None,
    on_event: Emit | None = None,
    spare: bool = False,
    restarts: bool = False,
    watch: bool = False,
) -> Stack:
    """Ask for a stack and wait until it is healthy. Builds the web interface first if it is out of date.

    With ``spare`` the supervisor keeps another like it ready; with ``restarts`` it starts again whatever dies after it
    was healthy, each time after a longer pause. With ``watch`` services follow their sources (the web interface by
    itself, the others by :mod:`harness.watch`).
    """
    world = worlds.chosen(world)
    services = closure(only)
    served = [project.services()[name] for name in services]
    needs_bundle = any(each.bundle_variable and not (watch and each.watched) for each in served)
    described = control.call(
        "start",
        on_event=on_event,
        name=name,
        choices=choices,
        services=services,
        seed=seed,
        world=world,
        spare=spare,
        restarts=restarts,
        watch=watch,
        bundle=str(_bundle()) if needs_bundle else None,
    )
    return Stack(control, described)


@cache
def _bundle() -> Path:
    """Looked at once: a process that starts one system after the other would hash the sources each time."""
    return bundle.ensure()


def choose(
    mode: str,
    *,
    only: Sequence[str] | None = None,
    flags: Mapping[str, str] | None = None,
    environ: Mapping[str, str] | None = None,
) -> dict[str, tuple[int, str, str]]:
    """Port, variable and source per service: all 0 for ``random``, the port map for ``configured``.

    Only those of the services that shall start (``only``, and what they need) must get along with each other.
    """
    if mode == "random":
        return {port.service: (0, port.variable, "random") for port in project.port_map()}
    if mode != "configured":
        raise HarnessError(f"ports={mode!r}", todo="use 'random' or 'configured'")
    told = dotenv(project.folder() / ".env")
    sources = (
        Source("flag", flags or {}),
        Source("environment", os.environ if environ is None else environ),
        Source(".env", told),
    )
    choices = ports.configured(sources, project.port_map(), used_by=closure(only))
    return {name: (choice.number, choice.variable, choice.source) for name, choice in choices.items()}


def settings() -> dict[str, str]:
    """What ``.env`` sets for services (`Service.inherited`) and the environment does not.

    Raises:
        HarnessError: it cannot be read.
    """
    names = {name for service in project.services().values() for name in service.inherited} - os.environ.keys()
    return {name: value for name, value in dotenv(project.folder() / ".env").items() if name in names and value}


def dotenv(path: Path) -> dict[str, str]:
    """The settings of a ``.env`` file; none when there is no file.

    Raises:
        HarnessError: it cannot be read.
    """
    if not path.exists() and not path.is_symlink():
        return {}
    try:
        if not path.is_file():
            raise IsADirectoryError("not a regular file")
        return {name: value for name, value in dotenv_values(path).items() if value is not None}
    except (OSError, ValueError) as error:
        raise HarnessError(f"{path} cannot be read", evidence=str(error), todo="correct it, or remove it") from error


@contextlib.contextmanager
def supervised(name: str, *, backend: Kind = "zygote", services: Sequence[str] = ()) -> Iterator[Control]:
    """A supervisor process that ends with this one, however this one ends."""
    process = spawn(name, detached=False, backend=backend, services=services)
    try:
        yield connect(name, process)
    finally:
        hang_up(process)
        forget(name)


def forget(name: str) -> None:
    """Remove what an ended supervisor leaves: its lock, and its log if it had nothing to say."""
    log = supervisor_log(name)
    log.with_suffix(".lock").unlink(missing_ok=True)
    if log.exists() and log.stat().st_size == 0:
        log.unlink()


def spawn(
    name: str,
    *,
    detached: bool,
    backend: Kind = "zygote",
    services: Sequence[str] = (),
    watch: bool = False,
    env: Mapping[str, str] | None = None,
) -> subprocess.Popen[bytes]:
    """Start a supervisor process that warms ``services`` (none means all), with ``env`` besides the environment.

    Its own messages go to ``run/NAME.log`` of the harness' folder.
    """
    state.run_folder().mkdir(parents=True, exist_ok=True)
    with supervisor_log(name).open("wb") as log:
        return subprocess.Popen(
            supervisor_command(name, detached=detached, backend=backend, services=services, watch=watch),
            cwd=ROOT,
            env=supervisor_environment() | dict(env or {}),
            stdin=subprocess.DEVNULL if detached else LEASH,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def supervisor_command(
    name: str,
    *,
    detached: bool = False,
    backend: Kind = "zygote",
    services: Sequence[str] = (),
    watch: bool = False,
) -> list[str]:
    """What runs a supervisor."""
    options = ["--backend", backend, *(["--detached"] if detached else []), *(["--watch"] if watch else [])]
    return [sys.executable, "-m", "harness.supervisor", name, *services, *options]


def supervisor_environment() -> dict[str, str]:
    """The environment of a supervisor: ours, and which project it is for."""
    return child_environment(os.environ) | {project.VARIABLE: str(project.folder())}


def hang_up(process: subprocess.Popen[bytes]) -> None:
    """Let go of the supervisor's leash and wait until it has stopped everything."""
    if process.stdin is not None:
        process.stdin.close()
    process.wait()


def connect(name: str, process: subprocess.Popen[bytes]) -> Control:
    """Wait until the supervisor listens.

    Raises:
        SupervisorError: it ended instead, or does not come; with the end of its log.
    """
    deadline = time.monotonic() + SUPERVISOR_STARTS_IN_S
    while time.monotonic() < deadline:
        record = state.read(name)
        if record is not None and record.pid == process.pid:
            return Control(record.control_port, record.secret)
        if process.poll() is not None:
            break
        time.sleep(0.005)
    if process.poll() == state.ALREADY_RUNNING:
        raise AlreadyRunningError(
            f"a system named {name!r} is running already, or just starting",
            todo="look at it: python -m harness status\nstop it: python -m harness down",
        )
    log = supervisor_log(name)
    raise SupervisorError(
        f"the supervisor {name!r} did not start (exit code {process.poll()})",
        evidence=last_lines(log, LOG_TAIL_LINES) or f"it wrote nothing; {_free(log.parent)}",
        todo=f"log: {log}",
    )


def _free(folder: Path) -> str:
    return f"{shutil.disk_usage(folder).free} bytes are free on the disk of {folder}"


def supervisor_log(name: str) -> Path:
    """Where a supervisor writes what it has to say itself."""
    return state.run_folder() / f"{name}.log"
