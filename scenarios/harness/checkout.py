"""A made-up checkout in a folder of its own, and every process that ever came out of it."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from harness import leash
from harness.bootstrap import child_environment
from harness.ports import PORTS, reserve

MARK = "SCENARIO_CHECKOUT"
ENDS_IN_S = 60.0
NOT_INHERITED = ("PYTEST_", "HARNESS_", "INSTANCE_NONCE", MARK)


@dataclass(frozen=True)
class Checkout:
    """A folder with a ``pyproject.toml``. Its processes, and theirs, are told by a variable they all inherit."""

    folder: Path
    files: Mapping[str, str]

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        for name, text in self.files.items():
            (self.folder / name).write_text(text, encoding="utf-8")

    @property
    def home(self) -> Path:
        """Where the harness keeps what runs."""
        return self.folder / ".harness"

    @property
    def environment(self) -> dict[str, str]:
        """That of a fresh shell: no port settings, nothing of the run around it."""
        settings = {port.variable for port in PORTS} | {"PORT_OFFSET", "NO_COLOR"}
        inherited = child_environment(os.environ).items()
        kept = {name: value for name, value in inherited if name not in settings and not name.startswith(NOT_INHERITED)}
        return kept | {MARK: str(self.folder), "COLUMNS": "200"}

    def run(self, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
        """``python -m`` with these arguments, in the folder, to its end."""
        return subprocess.run(
            [sys.executable, "-m", *arguments],
            cwd=self.folder, env=self.environment | env, capture_output=True, text=True, check=False, timeout=ENDS_IN_S,
        )  # fmt: skip

    def start(self, *arguments: str, **env: str) -> subprocess.Popen[str]:
        """The same, without waiting."""
        return subprocess.Popen(
            [sys.executable, "-m", *arguments],
            cwd=self.folder, env=self.environment | env, text=True, start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    def living(self) -> list[psutil.Process]:
        """Every process that came out of this folder and still lives, whoever its parent is now."""
        return came_out_of(self.folder)

    def left_after(self, seconds: float, *, of: list[psutil.Process], since: float) -> list[str]:
        """Who of ``of``, or else of this folder, still lives so many seconds after ``since`` (monotonic)."""
        leash.wait_gone(of, timeout=since + seconds - time.monotonic())
        leash.wait_gone(self.living(), timeout=since + seconds - time.monotonic())
        return [shown(process) for process in {*of, *self.living()} if not leash.wait_gone([process], timeout=0)]

    def supervisor(self) -> int:
        """The pid of the supervisor that ``up`` has started."""
        pid: int = json.loads((self.home / "run" / "up.json").read_text(encoding="utf-8"))["pid"]
        return pid


def came_out_of(folder: Path) -> list[psutil.Process]:
    """Every process of every checkout at or below ``folder`` that still lives, whoever its parent is now."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            place = process.environ().get(MARK)
            if place and Path(place).is_relative_to(folder) and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found


@contextlib.contextmanager
def checkouts(folders: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder for checkouts. Nothing that ever came out of any of them may live in the end."""
    place = folders.mktemp("checkouts")
    yield place
    left = came_out_of(place)
    told = [shown(process) for process in left]
    leash.end(left, grace=0.0)
    assert told == []


def until(condition: Callable[[], bool], *, within: float, otherwise: str) -> None:
    """Wait for something that only shows by looking."""
    deadline = time.monotonic() + within
    while not condition():
        assert time.monotonic() < deadline, otherwise
        time.sleep(0.01)


def shown(process: psutil.Process) -> str:
    """A process, for the message of a failed test."""
    with contextlib.suppress(psutil.Error):
        return f"{process.pid} {' '.join(process.cmdline())[-120:]}"
    return str(process.pid)


def described(process: subprocess.Popen[str]) -> dict[str, Any]:
    """The document that ``up --json`` prints when all is healthy; the process runs on."""
    assert process.stdout is not None
    lines: list[str] = []
    for line in process.stdout:
        lines.append(line)
        if line == "}\n":
            break
    assert lines, process.communicate()[1]
    document: dict[str, Any] = json.loads("".join(lines))
    return document


def taken(numbers: list[int]) -> list[str]:
    """Which of these ports cannot be bound."""
    refused = []
    for number in numbers:
        try:
            reserve(number).close()
        except OSError as error:
            refused.append(f"{number}: {error}")
    return refused
