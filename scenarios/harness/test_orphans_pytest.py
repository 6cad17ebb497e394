"""Nothing outlives pytest, its workers, or one of these, however it ends; as :mod:`scenarios.harness.test_orphans`."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import psutil
import pytest

from scenarios.harness.checkout import Checkout, checkouts
from scenarios.harness.endings import (
    SIGNALS,
    WITHIN_S,
    Ended,
    Endings,
    Family,
    each_signal,
    end,
    members_only,
    whole_checkout,
)
from scenarios.harness.specimens import WITHOUT_APP

pytestmark = pytest.mark.xdist_group("orphans-pytest")  # what is started together is ended together

STARTS_WITHIN_S = 60.0
QUICK = ("-q", "-p", "no:playwright", "-p", "no:schemathesis", "-p", "no:hypothesispytest")
Run: TypeAlias = tuple[tuple[str, ...], signal.Signals]
ALONE, CONTROLLING = (), ("-n", "1")


@pytest.fixture(scope="module", autouse=True)
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where the checkouts are. In the end nothing that ever came out of any of them may live."""
    with checkouts(tmp_path_factory) as place:
        yield place


def parked(checkout: Checkout, number: int, process: subprocess.Popen[str]) -> dict[str, Any]:
    """What test ``number`` tells when its system runs; from then on it waits."""
    path = checkout.folder / f"{number}.json"
    deadline = time.monotonic() + STARTS_WITHIN_S
    while not path.exists() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    if not path.exists():
        process.send_signal(signal.SIGINT)  # its summary says what became of the test
        pytest.fail(f"test {number} does not come:\n{process.communicate()[0]}")
    told: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return told


@pytest.fixture(scope="module")
def runs(folder: Path) -> tuple[Mapping[Run, Ended], tuple[int, str]]:
    """Runs of pytest, each waiting in a test that has a system, some in a worker, and each got a signal.

    With exit code and output of the one that was interrupted.
    """
    wanted: list[Run] = [(ALONE, number) for number in SIGNALS] + [
        (CONTROLLING, signal.SIGINT),
        (CONTROLLING, signal.SIGKILL),
    ]
    places = {each: Checkout(folder / f"pytest-{len(each[0])}-{each[1].name}", WITHOUT_APP) for each in wanted}
    processes = {each: place.start("pytest", *QUICK, *each[0], "-k", "ended and 1") for each, place in places.items()}
    families = {
        each: Family.of(place, processes[each].pid, each[1], parked(place, 1, processes[each]), place.living())
        for each, place in places.items()
    }
    endings = end(families, whole_checkout)
    outputs = {each: process.communicate()[0] for each, process in processes.items()}
    interrupted: Run = (ALONE, signal.SIGINT)
    return endings, (processes[interrupted].returncode, outputs[interrupted])


@pytest.fixture(scope="module")
def workers(folder: Path) -> tuple[Endings, list[str]]:
    """One run of pytest with four workers, each waiting in a test that has a system; who is left of the run at last.

    An interrupted worker ends the run, so that one is the last.
    """
    checkout = Checkout(folder / "workers", WITHOUT_APP)
    run = checkout.start("pytest", *QUICK, "-n", "4", "--max-worker-restart=0")
    families = {}
    for position, number in enumerate(SIGNALS, start=1):
        told = parked(checkout, position, run)
        worker = psutil.Process(told["pid"])
        families[number] = Family.of(checkout, worker.pid, number, told, [worker, *worker.children(recursive=True)])
    interrupted = families.pop(signal.SIGINT)
    endings = end(families, members_only)
    assert all(each.is_running() for each in interrupted.members)
    began = time.monotonic()
    endings |= end({signal.SIGINT: interrupted}, members_only)
    left = checkout.left_after(2 * WITHIN_S, of=[], since=began)
    run.communicate()
    return endings, left


@each_signal
def test_nothing_outlives_pytest(number: signal.Signals, runs: tuple[Any, Any]) -> None:
    runs[0][ALONE, number].assert_nothing_is_left()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL], ids=["SIGINT", "SIGKILL"])
def test_nothing_outlives_the_pytest_that_has_workers(number: signal.Signals, runs: tuple[Any, Any]) -> None:
    runs[0][CONTROLLING, number].assert_nothing_is_left()


def test_an_interrupted_pytest_still_tells_its_summary(runs: tuple[Any, tuple[int, str]]) -> None:
    code, output = runs[1]
    assert code == pytest.ExitCode.INTERRUPTED
    assert "KeyboardInterrupt" in output
    assert "3 deselected" in output


@each_signal
def test_nothing_outlives_a_worker_of_pytest(number: signal.Signals, workers: tuple[Endings, Any]) -> None:
    workers[0][number].assert_nothing_is_left()


def test_an_interrupted_worker_ends_the_run(workers: tuple[Any, list[str]]) -> None:
    assert workers[1] == []
