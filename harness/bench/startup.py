"""How fast systems come and go: fresh, spare, cold, reset, stopped; against honcho; and two hundred tests."""

from __future__ import annotations

import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from itertools import count
from pathlib import Path

import psutil

from harness import launch, ports, project
from harness.bench import program
from harness.bench.figures import Figure
from harness.bootstrap import child_environment
from harness.control import Control
from harness.errors import HarnessError
from harness.stack import Stack
from harness.topology import ROOT

FRESH_MS, SPARE_MS, COLD_MS, RESET_MS, STOP_MS = 80.0, 15.0, 3000.0, 30.0, 50.0
HONCHO_RATIO, FURTHER_MIB, TESTS_S = 40.0, 80.0, 30.0
RUNS, TESTS = 25, 200
HONCHO_WITHIN_S = 120.0
FURTHER = 3
numbers = count(1)

Progress = Callable[[str], None]

INNER = """
import urllib.request
import psutil, pytest

@pytest.mark.parametrize("number", range({tests}))
def test_has_a_system_of_its_own(stack, number):
    with urllib.request.urlopen(stack.url("idp") + "/healthz") as answer:
        assert answer.status == 200
    if number in ({early}, {late}):
        (supervisor,) = psutil.Process().children()  # pytest itself grows by what it keeps to report
        below = supervisor.children(recursive=True)
        lasting = [supervisor, *(each for each in below if "harness.zygote" in each.cmdline())]
        held = sum(each.num_fds() for each in lasting)
        used = sum(each.memory_full_info().uss for each in lasting)
        print(f"AT {{number}}: {{held}} descriptors, {{used}} bytes")
"""


def measure(*, runs: int, cold_runs: int, tests: int, say: Progress) -> Iterator[Figure]:
    """Every figure of the benchmark, one after the other; ``say`` is told what is being measured.

    Raises:
        HarnessError: something did not start at all.
    """
    say("cold starts")
    cold = [_cold() for _ in range(cold_runs)]
    yield Figure.of("startup/cold_stack_ms", "ms", cold, target=COLD_MS)
    with launch.supervised(f"bench-{os.getpid()}") as control:
        say(f"{runs} fresh stacks")
        fresh, stops = _fresh(control, runs)
        yield Figure.of("startup/fresh_stack_ms", "ms", fresh, target=FRESH_MS)
        yield Figure.of("startup/stop_ms", "ms", stops, target=STOP_MS)
        say(f"{runs} spare stacks")
        yield Figure.of("startup/spare_stack_ms", "ms", _spare(control, runs), target=SPARE_MS)
        say(f"{runs} resets")
        yield Figure.of("startup/reset_ms", "ms", _resets(control, runs), target=RESET_MS)
        say("memory")
        yield Figure.of("startup/further_stack_mib", "MiB", _further(control), target=FURTHER_MIB)
        say("the same Procfile under honcho")
        yield _against_honcho(control, cold_runs)
    say(f"{tests} tests with a fresh stack each")
    yield from _tests(tests)


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1000


def _started(control: Control, *, spare: bool = False) -> tuple[Stack, float]:
    """A stack, and the milliseconds from the request until all of it was healthy."""
    name = f"bench-{os.getpid()}-{next(numbers)}"
    began = time.perf_counter()
    stack = launch.start(control, name=name, choices=launch.choose("random"), spare=spare)
    return stack, (time.perf_counter() - began) * 1000


@contextmanager
def _stack(control: Control, *, spare: bool = False) -> Iterator[tuple[Stack, float]]:
    """The same, stopped at the end."""
    stack, took = _started(control, spare=spare)
    try:
        yield stack, took
    finally:
        control.call("stop", name=stack.name)


def _cold() -> float:
    """From nothing to healthy: the supervisor's start and the warming of its zygotes are part of it."""
    began = time.perf_counter()
    with launch.supervised(f"bench-cold-{os.getpid()}-{next(numbers)}") as control, _stack(control):
        return (time.perf_counter() - began) * 1000


def _fresh(control: Control, runs: int) -> tuple[list[float], list[float]]:
    with _stack(control):  # the first one seeds the databases from which the others are copied
        pass
    starts, stops = [], []
    for _ in range(runs):
        stack, took = _started(control)
        starts.append(took)
        stops.append(_timed(partial(control.call, "stop", name=stack.name)))
    return starts, stops


def _spare(control: Control, runs: int) -> list[float]:
    took = []
    with _stack(control, spare=True):
        control.call("settle")
    for _ in range(runs):
        with _stack(control, spare=True) as (_, ms):
            took.append(ms)
            control.call("settle")  # as long as a test takes, in which the next one gets ready
    return took


def _resets(control: Control, runs: int) -> list[float]:
    with _stack(control) as (stack, _):
        return [_timed(stack.reset) for _ in range(runs)]


def _further(control: Control) -> list[float]:
    """Memory that each further stack has for itself alone (USS), in MiB."""
    with ExitStack() as opened:
        stacks = [opened.enter_context(_stack(control))[0] for _ in range(FURTHER + 1)]
        return [_uss(stack) for stack in stacks[1:]]


def _uss(stack: Stack) -> float:
    pids = [service["pid"] for service in stack.describe()["services"].values()]
    return float(sum(psutil.Process(pid).memory_full_info().uss for pid in pids)) / 2**20


def _against_honcho(control: Control, runs: int) -> Figure:
    """Honcho's time over ours, in turn: both start the same five services."""
    ratios, theirs = [], []
    for _ in range(runs):
        theirs.append(_honcho())
        with _stack(control) as (_, ours):
            ratios.append(theirs[-1] / ours)
    figure = Figure.of("startup/honcho_ratio", "×", ratios, target=HONCHO_RATIO, better="higher")
    return replace(figure, peer=round(statistics.median(theirs), 3))


def _honcho() -> float:
    """Milliseconds from ``honcho start`` to the last of the services' health."""
    held = {port.service: ports.reserve(0) for port in project.port_map()}
    chosen = {port.variable: str(held[port.service].number) for port in project.port_map()}
    for reservation in held.values():
        reservation.close()
    with tempfile.TemporaryDirectory() as folder:
        scripts = str(Path(sys.executable).parent)
        env = chosen | {"HARNESS_HOME": folder, "PATH": os.pathsep.join([scripts, os.environ.get("PATH", os.defpath)])}
        command: list[str | Path] = [sys.executable, "-m", "honcho", "-f", ROOT / "Procfile", "start"]
        log = Path(folder, "honcho.log")
        began = time.perf_counter()
        with program.started(command, env=env, cwd=ROOT, log=log, grace=5.0) as process:
            for name, reservation in held.items():
                url = f"http://127.0.0.1:{reservation.number}{project.services()[name].health}"
                program.await_answer(url, process, log, name=f"honcho's {name}", within=HONCHO_WITHIN_S)
            return (time.perf_counter() - began) * 1000


def _tests(tests: int) -> Iterator[Figure]:
    """A run of pytest in which every test has a fresh stack: its time, and what it leaks on the way."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "conftest.py").write_text('pytest_plugins = ["harness.plugin"]', encoding="utf-8")
        inner = INNER.format(tests=tests, early=tests // 2, late=tests - 2)
        Path(folder, "test_inner.py").write_text(inner, encoding="utf-8")
        env = child_environment(os.environ) | {"HARNESS_HOME": f"{folder}/home", "HARNESS_PROJECT": str(ROOT)}
        began = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-s", "--rootdir", folder, folder],
            cwd=folder, env=env, capture_output=True, text=True, check=False,
        )  # fmt: skip
        took = time.perf_counter() - began
    if done.returncode:
        raise HarnessError(f"the {tests} tests did not pass", evidence=done.stdout[-3000:] + done.stderr[-1000:])
    (fds, used), (fds_later, used_later) = [
        (int(match[1]), int(match[2])) for match in re.finditer(r"AT \d+: (\d+) descriptors, (\d+) bytes", done.stdout)
    ]
    yield Figure.of("startup/fresh_stack_tests_s", "s", [took], target=TESTS_S if tests == TESTS else None)
    yield Figure.of("startup/leaked_descriptors", "", [fds_later - fds], target=0)
    yield Figure.of("startup/growth_per_test_kib", "KiB", [(used_later - used) / 1024 / (tests // 2)], target=8)
