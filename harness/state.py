"""Files of a run: what runs, who may steer it, and where its logs and data are."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import shutil
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO

import psutil

from harness import environ, leash, project

VARIABLE = "HARNESS_HOME"
MODULE = "harness.supervisor"
MOST = 2**31
ALREADY_RUNNING = 75  # EX_TEMPFAIL of sysexits.h


def home() -> Path:
    """The folder of everything a run leaves: ``.harness`` of the checkout, or ``HARNESS_HOME``."""
    return Path(os.environ.get(VARIABLE) or project.folder() / ".harness").absolute()


def run_folder() -> Path:
    """Records and logs of supervisors."""
    return home() / "run"


def stack_folder(name: str) -> Path:
    """Logs and databases of one stack."""
    return home() / "stacks" / name


@dataclass(frozen=True)
class Record:
    """What a supervisor writes down about itself: with pid *and* creation time, so that a reused pid is nobody."""

    name: str
    pid: int
    created: float
    control_port: int
    secret: str
    services: tuple[tuple[int, float], ...] = ()
    stacks: tuple[str, ...] = ()
    kept: bool = False
    mark: str = ""
    boot: str = field(default_factory=leash.boot)

    @property
    def path(self) -> Path:
        """Where this record is kept."""
        return record_path(self.name)

    def process(self) -> psutil.Process | None:
        """The supervisor's process, if it still is that one; nobody else's is ever taken for it."""
        process = leash.same_process(self.pid, self.created) if self.boot == leash.boot() else None
        try:
            return process if process is not None and MODULE in process.cmdline() else None
        except psutil.Error:
            return None

    def write(self) -> None:
        """Replace the file in one step; only its owner may read the secret."""
        run_folder().mkdir(parents=True, exist_ok=True)
        draft = self.path.with_suffix(".new")
        try:
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                json.dump(asdict(self), file)
            draft.replace(self.path)
        except OSError:
            draft.unlink(missing_ok=True)
            raise


def record_path(name: str) -> Path:
    """The file of the supervisor called ``name``."""
    return run_folder() / f"{name}.json"


def read(name: str) -> Record | None:
    """The record of a supervisor that runs; None when there is none or it is dead."""
    record = _load(record_path(name))
    return record if record is not None and record.process() is not None else None


def lock(name: str) -> IO[bytes] | None:
    """The right to be the supervisor called ``name``, for as long as the file is open; None when another has it."""
    run_folder().mkdir(parents=True, exist_ok=True)
    file = (run_folder() / f"{name}.lock").open("wb")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return None
    return file


def reap() -> list[str]:
    """End what dead supervisors left behind and remove their records; returns their names.

    Only processes that carry the record's mark, or whose creation time is the recorded one, are touched.
    """
    left = []
    for record in _records():
        if record.process() is not None:
            continue
        born = record.services if record.boot == leash.boot() else ()
        survivors = [process for pid, created in born if (process := leash.same_process(pid, created))]
        if record.mark:
            survivors += leash.marked(environ.NONCE, record.mark)
        leash.end(survivors, grace=1.0)
        for stack in record.stacks:
            shutil.rmtree(stack_folder(stack), ignore_errors=True)
        record.path.unlink(missing_ok=True)
        left.append(record.name)
    return left


def kept() -> list[Record]:
    """The records of supervisors that live on without an owner, because somebody wanted to look at what they run."""
    return [record for record in _records() if record.kept and record.process() is not None]


def _records() -> Iterator[Record]:
    for path in sorted(run_folder().glob("*.json")):
        record = _load(path)
        if record is not None:
            yield record


def _load(path: Path) -> Record | None:
    """A record as we write them; whatever else lies there is put aside, and its names never lead out of our folders."""
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        record = Record(
            name=_plain(told["name"]),
            pid=_natural(told["pid"]),
            created=float(told["created"]),
            control_port=_natural(told["control_port"]),
            secret=str(told["secret"]),
            services=tuple((_natural(pid), float(born)) for pid, born in told["services"]),
            stacks=tuple(_plain(stack) for stack in told["stacks"]),
            kept=told.get("kept") is True,
            mark=_mark(told.get("mark", "")),
            boot=str(told.get("boot", "")),
        )
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (ValueError, TypeError, KeyError, OSError, RecursionError):
        aside = path.with_suffix(".unreadable")  # written by another version, by hand, or cut off by a power failure
        with contextlib.suppress(FileNotFoundError):  # another one was faster
            path.replace(aside)
        print(f"warning: {path} is not a record of ours; it is now {aside.name}", file=sys.stderr)
        return None
    return record


def _plain(name: object) -> str:
    if isinstance(name, str) and re.fullmatch(r"[\w-]+", name):
        return name
    raise ValueError(f"{name!r} cannot be a name")


def _mark(mark: object) -> str:
    """Short ones would be the beginning of other people's, too."""
    if isinstance(mark, str) and re.fullmatch(r"([0-9a-f]{16})?", mark):
        return mark
    raise ValueError(f"{mark!r} cannot be a mark")


def _natural(number: object) -> int:
    if isinstance(number, int) and 0 < number < MOST:
        return number
    raise ValueError(f"{number!r} cannot be a pid or a port")
