"""The supervisor of one pytest worker: pytest-xprocess owns its process, and what that does wrong is done here."""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import psutil
import pytest
from xprocess import ProcessStarter, XProcess

from harness import bootstrap, launch, state
from harness.control import Control
from harness.errors import SupervisorError
from harness.plugin.choices import CHOICES
from harness.plugin.systems import SYSTEMS, Systems
from harness.topology import ROOT

LOG_TAIL = 2000
FOLDERS = "xprocess"
"""The lock of the folders that xprocess keeps: all workers and runs of a project share them."""


def owner(request: pytest.FixtureRequest) -> XProcess:
    """What owns the supervisor. Its fixture reads the folders of all workers, and fails on one that vanishes."""
    with bootstrap.exclusive(FOLDERS):
        xprocess: XProcess = request.getfixturevalue("xprocess")
        _sweep(xprocess)
        return xprocess


def remove(info: Any) -> None:
    """Remove the folder that xprocess keeps about a process."""
    with bootstrap.exclusive(FOLDERS):
        info.controldir.remove(ignore_errors=True)


@contextlib.contextmanager
def supervised(xprocess: XProcess, config: pytest.Config) -> Iterator[Control]:
    """The supervisor of this worker, for as long as the worker lives; longer, if a system of it was kept.

    Raises:
        SupervisorError: it ended at once, or does not come; nothing of it is left.
    """
    # Under a name of its own: xprocess shares its files between all runs of a checkout, and it would take whoever has
    # the pid today that a file of a former run names for the supervisor, and terminate it.
    name = f"pytest-{os.environ.get('PYTEST_XDIST_WORKER', 'main')}-{os.getpid()}"
    info = xprocess.getinfo(name)
    remove(info)
    systems = config.stash[SYSTEMS]
    before = len(xprocess.resources)
    try:
        control, process = _start(xprocess, info, config)
    except BaseException:
        for resource in xprocess.resources[before:]:
            _end(resource.popen, info)
        raise
    systems.supervisor_log = Path(info.logpath)
    yield control
    _clear(systems)
    if systems.kept:
        control.call("keep")
        process.returncode = 0  # Popen would warn of a child that lives on, as it shall
        return
    _end(process, info)


def _start(xprocess: XProcess, info: Any, config: pytest.Config) -> tuple[Control, subprocess.Popen[bytes]]:
    services = config.stash[SYSTEMS].warm

    def gone() -> SupervisorError:
        return SupervisorError(f"the supervisor {info.name!r} ended", evidence=info.logpath.read()[-LOG_TAIL:])

    class Starter(ProcessStarter):  # type: ignore[misc]
        args: ClassVar = launch.supervisor_command(info.name, backend=config.stash[CHOICES].backend, services=services)
        env: ClassVar = launch.supervisor_environment()
        popen_kwargs: ClassVar = {"cwd": str(ROOT), "stdin": launch.LEASH}
        timeout = launch.SUPERVISOR_STARTS_IN_S

        def startup_check(self) -> bool:
            if state.read(info.name) is not None:
                return True
            if not xprocess.getinfo(info.name).isrunning():  # xprocess itself would wait for a dead child
                raise gone()
            return False

    try:
        with contextlib.redirect_stdout(io.StringIO()):  # what it prints would stand in the report of our first test
            xprocess.ensure(info.name, Starter, persist_logs=False)
    except TimeoutError as error:  # xprocess leaves the process running
        evidence = f"nothing after {launch.SUPERVISOR_STARTS_IN_S:g} s\n{info.logpath.read()[-LOG_TAIL:]}"
        raise SupervisorError(f"the supervisor {info.name!r} did not start", evidence=evidence) from error
    record = state.read(info.name)
    if record is None:
        raise gone()
    return Control(record.control_port, record.secret), xprocess.resources[-1].popen


def _end(process: subprocess.Popen[bytes] | None, info: Any) -> None:
    if process is not None:
        launch.hang_up(process)
    launch.forget(info.name)
    remove(info)


def _clear(systems: Systems) -> None:
    """Remove the folders of systems that did not start; those of the others have gone with them."""
    kept = {stack.name for stack in systems.kept}
    for folder in state.stack_folder("").glob(f"pytest-{os.getpid()}-*"):
        if folder.name not in kept:
            shutil.rmtree(folder, ignore_errors=True)


def _sweep(xprocess: XProcess) -> None:
    """Remove what killed runs left, also with xprocess: its ``--xkill`` would end whoever has their pids today."""
    for folder in xprocess.rootdir.listdir():
        if _is_left(folder.basename):
            folder.remove(ignore_errors=True)
    for lock in state.run_folder().glob("pytest-*.lock"):
        if _is_left(lock.stem):
            launch.forget(lock.stem)


def _is_left(name: str) -> bool:
    """Whether this is the name of a supervisor of ours that is gone, and so is its pytest."""
    prefix, _, owner = name.rpartition("-")
    if not prefix.startswith("pytest-") or not owner.isdigit():
        return False
    return not psutil.pid_exists(int(owner)) and state.read(name) is None
