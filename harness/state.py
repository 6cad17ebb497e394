"""Files of a run: what runs, who may steer it, and where its logs and data are."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from harness import leash
from harness.topology import ROOT

VARIABLE = "HARNESS_HOME"


def home() -> Path:
    """The folder of everything a run leaves: ``.harness`` of the checkout, or ``HARNESS_HOME``."""
    return Path(os.environ.get(VARIABLE) or ROOT / ".harness").absolute()


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

    @property
    def path(self) -> Path:
        """Where this record is kept."""
        return record_path(self.name)

    def process(self) -> psutil.Process | None:
        """The supervisor's process, if it still is that one."""
        return leash.same_process(self.pid, self.created)

    def write(self) -> None:
        """Replace the file in one step; only its owner may read the secret."""
        run_folder().mkdir(parents=True, exist_ok=True)
        draft = self.path.with_suffix(".new")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(asdict(self), file)
        draft.replace(self.path)


def record_path(name: str) -> Path:
    """The file of the supervisor called ``name``."""
    return run_folder() / f"{name}.json"


def read(name: str) -> Record | None:
    """The record of a supervisor that runs; None when there is none or it is dead."""
    record = _load(record_path(name))
    return record if record is not None and record.process() is not None else None


def reap() -> list[str]:
    """End what dead supervisors left behind and remove their records; returns their names.

    Only processes whose creation time matches the record are touched.
    """
    left = []
    for record in _records():
        if record.process() is not None:
            continue
        survivors = [process for pid, born in record.services if (process := leash.same_process(pid, born))]
        leash.end(survivors, grace=1.0)
        for stack in record.stacks:
            shutil.rmtree(stack_folder(stack), ignore_errors=True)
        record.path.unlink(missing_ok=True)
        left.append(record.name)
    return left


def _records() -> Iterator[Record]:
    for path in sorted(run_folder().glob("*.json")):
        record = _load(path)
        if record is not None:
            yield record


def _load(path: Path) -> Record | None:
    with contextlib.suppress(FileNotFoundError):
        try:
            told = json.loads(path.read_text(encoding="utf-8"))
            told["services"] = tuple((pid, born) for pid, born in told["services"])
            told["stacks"] = tuple(told["stacks"])
            return Record(**told)
        except (ValueError, TypeError, KeyError):
            path.unlink(missing_ok=True)  # written by another version, or cut off by a power failure
    return None
