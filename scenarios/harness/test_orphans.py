"""Nothing outlives its owner: whoever is ended, and however, within three seconds all is gone and every port is free.

What runs is hard to get rid of: see :mod:`scenarios.harness.specimens`.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import psutil
import pytest

from harness import launch, leash, project, state
from harness.control import Control
from scenarios.harness.checkout import MARK, Checkout, came_out_of, described, shown, taken, until
from scenarios.harness.specimens import FILES, SPECIMENS

pytestmark = pytest.mark.xdist_group("orphans")  # what is started together is ended together

WITHIN_S = 3.0
STARTS_WITHIN_S = 60.0
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL)
QUICK = ("-q", "-p", "no:playwright", "-p", "no:schemathesis", "-p", "no:hypothesispytest")

each_signal = pytest.mark.parametrize("number", SIGNALS, ids=[number.name for number in SIGNALS])


@dataclass(frozen=True)
class Ended:
    """What became of a family of processes after one of them had got a signal."""

    family: list[psutil.Process]
    left: list[str]
    unbound: list[str]


Endings: TypeAlias = Mapping[signal.Signals, Ended]


@dataclass(frozen=True)
class Family:
    """A system with specimens, who shall get a signal, and everything that is to go then."""

    checkout: Checkout
    victim: int
    ports: list[int]
    members: list[psutil.Process]

    @classmethod
    def of(cls, checkout: Checkout, victim: int, system: Mapping[str, Any], members: list[psutil.Process]) -> Family:
        lines = Path(system["folder"], "specimens.txt").read_text(encoding="utf-8").splitlines()
        specimens = {name: int(pid) for name, pid in map(str.split, lines)}
        assert sorted(specimens) == sorted(SPECIMENS)
        assert set(specimens.values()) < {process.pid for process in members}
        assert psutil.Process(specimens["stopped"]).status() == psutil.STATUS_STOPPED
        return cls(checkout, victim, [service["port"] for service in system["services"].values()], members)


def end(families: Mapping[signal.Signals, Family], left: Callable[[Family, float], list[str]]) -> Endings:
    """Give each victim its signal, all at once; ``left`` tells who was still there when the time was up."""
    began = time.monotonic()
    for number, family in families.items():
        os.kill(family.victim, number)
    remaining = {number: left(family, began) for number, family in families.items()}
    return {
        number: Ended(family.members, remaining[number], taken(family.ports)) for number, family in families.items()
    }


def whole_checkout(family: Family, began: float) -> list[str]:
    return family.checkout.left_after(WITHIN_S, of=family.members, since=began)


def members_only(family: Family, began: float) -> list[str]:
    leash.wait_gone(family.members, timeout=began + WITHIN_S - time.monotonic())
    return [shown(process) for process in family.members if not leash.wait_gone([process], timeout=0)]


@pytest.fixture(scope="module", autouse=True)
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where the checkouts are. In the end nothing that ever came out of any of them may live."""
    place = tmp_path_factory.mktemp("checkouts")
    yield place
    left = came_out_of(place)
    told = [shown(process) for process in left]
    leash.end(left, grace=0.0)
    assert told == []


@pytest.fixture(scope="module")
def launchers(folder: Path) -> Endings:
    """Four systems of ``up`` in the foreground; the launcher of each got another signal."""
    checkouts = {number: Checkout(folder / f"launcher-{number.name}", FILES) for number in SIGNALS}
    processes = {number: checkout.start("harness", "up", "--json") for number, checkout in checkouts.items()}
    families = {
        number: Family.of(checkouts[number], process.pid, described(process), checkouts[number].living())
        for number, process in processes.items()
    }
    endings = end(families, whole_checkout)
    for process in processes.values():
        process.communicate()
    return endings


@pytest.fixture(scope="module")
def supervisors(folder: Path) -> Endings:
    """Four systems of ``up --detach``; the supervisor of each got another signal."""
    checkouts = {number: Checkout(folder / f"supervisor-{number.name}", FILES) for number in SIGNALS}
    processes = {
        number: checkout.start("harness", "up", "--detach", "--json") for number, checkout in checkouts.items()
    }
    systems = {number: described(process) for number, process in processes.items()}
    for process in processes.values():
        process.communicate()
    families = {
        number: Family.of(checkout, checkout.supervisor(), systems[number], checkout.living())
        for number, checkout in checkouts.items()
    }
    return end(families, whole_checkout)


def parked(checkout: Checkout, number: int, process: subprocess.Popen[str]) -> dict[str, Any]:
    """What test ``number`` tells when its system runs; from then on it waits."""
    path = checkout.folder / f"{number}.json"
    until(
        lambda: path.exists() or process.poll() is not None,
        within=STARTS_WITHIN_S,
        otherwise=f"test {number} does not come",
    )
    assert path.exists(), process.communicate()
    told: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return told


@pytest.fixture(scope="module")
def pytests(folder: Path) -> tuple[Endings, Mapping[signal.Signals, tuple[int, str]]]:
    """Four runs of pytest, each waiting in a test that has a system; with exit code and output of each."""
    checkouts = {number: Checkout(folder / f"pytest-{number.name}", FILES) for number in SIGNALS}
    processes = {
        number: checkout.start("pytest", *QUICK, "-k", "ended and 1") for number, checkout in checkouts.items()
    }
    families = {
        number: Family.of(
            checkouts[number], process.pid, parked(checkouts[number], 1, process), checkouts[number].living()
        )
        for number, process in processes.items()
    }
    endings = end(families, whole_checkout)
    outputs = {number: process.communicate()[0] for number, process in processes.items()}
    return endings, {number: (process.returncode, outputs[number]) for number, process in processes.items()}


@pytest.fixture(scope="module")
def controllers(folder: Path) -> Endings:
    """Two runs of pytest whose tests are in a worker; the signal goes to the pytest that started the worker."""
    checkouts = {
        number: Checkout(folder / f"controller-{number.name}", FILES) for number in (signal.SIGINT, signal.SIGKILL)
    }
    processes = {
        number: checkout.start("pytest", *QUICK, "-n", "1", "-k", "ended and 1")
        for number, checkout in checkouts.items()
    }
    families = {
        number: Family.of(
            checkouts[number], process.pid, parked(checkouts[number], 1, process), checkouts[number].living()
        )
        for number, process in processes.items()
    }
    endings = end(families, whole_checkout)
    for process in processes.values():
        process.communicate()
    return endings


@pytest.fixture(scope="module")
def workers(folder: Path) -> tuple[Endings, list[str]]:
    """One run of pytest with four workers, each waiting in a test that has a system; who is left of the run at last.

    An interrupted worker ends the run, so that one is the last.
    """
    checkout = Checkout(folder / "workers", FILES)
    run = checkout.start("pytest", *QUICK, "-n", "4", "--max-worker-restart=0")
    families = {}
    for position, number in enumerate(SIGNALS, start=1):
        told = parked(checkout, position, run)
        worker = psutil.Process(told["pid"])
        families[number] = Family.of(checkout, worker.pid, told, [worker, *worker.children(recursive=True)])
    interrupted = families.pop(signal.SIGINT)
    endings = dict(end(families, members_only))
    assert all(leash.same_process(each.pid, each.create_time()) for each in interrupted.members)
    began = time.monotonic()
    endings |= end({signal.SIGINT: interrupted}, members_only)
    left = checkout.left_after(2 * WITHIN_S, of=[], since=began)
    run.communicate()
    return endings, left


def assert_nothing_is_left(ended: Ended) -> None:
    assert ended.left == []
    assert ended.unbound == []


@each_signal
def test_nothing_outlives_the_launcher(number: signal.Signals, launchers: Endings) -> None:
    assert_nothing_is_left(launchers[number])


@each_signal
def test_nothing_outlives_the_supervisor(number: signal.Signals, supervisors: Endings) -> None:
    assert_nothing_is_left(supervisors[number])


@each_signal
def test_nothing_outlives_pytest(number: signal.Signals, pytests: tuple[Endings, Any]) -> None:
    assert_nothing_is_left(pytests[0][number])


def test_an_interrupted_pytest_still_tells_its_summary(pytests: tuple[Any, Mapping[signal.Signals, Any]]) -> None:
    code, output = pytests[1][signal.SIGINT]
    assert code == pytest.ExitCode.INTERRUPTED
    assert "KeyboardInterrupt" in output
    assert "3 deselected" in output


@each_signal
def test_nothing_outlives_a_worker_of_pytest(number: signal.Signals, workers: tuple[Endings, Any]) -> None:
    assert_nothing_is_left(workers[0][number])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL], ids=["SIGINT", "SIGKILL"])
def test_nothing_outlives_the_pytest_that_has_workers(number: signal.Signals, controllers: Endings) -> None:
    assert_nothing_is_left(controllers[number])


def test_an_interrupted_worker_ends_the_run(workers: tuple[Any, list[str]]) -> None:
    assert workers[1] == []


@pytest.fixture(scope="module")
def control(folder: Path) -> Iterator[Control]:
    """A supervisor in a checkout with specimens, for stacks as the fixtures start them."""
    checkout = Checkout(folder / "fixtures", FILES)
    with pytest.MonkeyPatch.context() as patched:
        for variable, value in {MARK: checkout.folder, project.VARIABLE: checkout.folder}.items():
            patched.setenv(variable, str(value))
        patched.setenv(state.VARIABLE, str(checkout.home))
        with launch.supervised("fixtures") as supervisor:
            yield supervisor


def test_a_stopped_system_takes_all_its_specimens_with_it_and_leaves_the_supervisor(
    control: Control, folder: Path
) -> None:
    before = came_out_of(folder / "fixtures")
    with launch.stack_of(control, name="one", choices=launch.choose("random")) as stack:
        family = Family.of(Checkout(folder / "fixtures", {}), 0, stack.describe(), came_out_of(folder / "fixtures"))
    assert [shown(each) for each in came_out_of(folder / "fixtures")] == [shown(each) for each in before]
    assert taken(family.ports) == []


def test_the_death_of_the_zygote_ends_all_specimens(control: Control, folder: Path) -> None:
    with launch.stack_of(control, name="two", choices=launch.choose("random")) as stack:
        members = came_out_of(folder / "fixtures")
        (zygote,) = [each for each in members if "harness.zygote" in each.cmdline()]
        specimens = zygote.children(recursive=True)
        assert len(specimens) == 3 + len(SPECIMENS)
        began = time.monotonic()
        zygote.kill()
        leash.wait_gone(specimens, timeout=WITHIN_S)
        assert [shown(each) for each in specimens if not leash.wait_gone([each], timeout=0)] == []
        assert time.monotonic() - began < WITHIN_S
        services = {name: service["state"] for name, service in stack.describe()["services"].items()}
        assert services == dict.fromkeys(("desk", "mule", "app"), "crashed")


def test_the_next_up_ends_what_a_power_cut_left(folder: Path) -> None:
    checkout = Checkout(folder / "power-cut", FILES)
    started = checkout.run("harness", "up", "--detach", "--json")
    assert started.returncode == 0, started.stderr
    members = checkout.living()
    family = Family.of(checkout, checkout.supervisor(), json.loads(started.stdout), members)
    ours = [each for each in members if {"harness.supervisor", "harness.zygote"} & set(each.cmdline())]
    for each in ours:  # all at one moment: none of them can clear up
        each.suspend()
    for each in ours:
        each.kill()
    assert leash.wait_gone(ours, timeout=WITHIN_S)
    assert checkout.living(), "what did not belong to any of them survives"

    again = checkout.run("harness", "up", "--detach", "--json", *fixed(started.stdout))
    assert again.returncode == 0, again.stderr
    assert [shown(each) for each in family.members if not leash.wait_gone([each], timeout=0)] == []
    assert checkout.run("harness", "down").returncode == 0
    assert checkout.living() == []


def fixed(document: str) -> list[str]:
    """Options that ask for the very ports of a described system."""
    services = json.loads(document)["services"]
    return [part for name, service in services.items() for part in ("--port", f"{name}={service['port']}")]


STRANGER = (
    "import socket; held = socket.create_server(('127.0.0.1', 0)); print(held.getsockname()[1], flush=True); input()"
)


@pytest.fixture
def stranger() -> Iterator[tuple[psutil.Process, int]]:
    """Somebody who looks like a supervisor of ours, and the port that is his."""
    command = [sys.executable, "-S", "-c", STRANGER, state.MODULE]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield psutil.Process(process.pid), int(process.stdout.readline())
        assert process.poll() is None, "the stranger was ended"
        process.kill()


@pytest.mark.parametrize("command", ["down", "up"])
def test_nobody_ends_a_stranger_who_has_a_recorded_pid(
    command: str, stranger: tuple[psutil.Process, int], folder: Path
) -> None:
    checkout = Checkout(folder / f"stranger-{command}", FILES)
    pid, born = stranger[0].pid, stranger[0].create_time() - 60.0
    record = {"name": "up", "pid": pid, "created": born, "control_port": 1, "secret": "", "mark": "0" * 16}
    path = checkout.home / "run" / "up.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({**record, "services": [[pid, born]], "stacks": ["up"]}), encoding="utf-8")
    done = checkout.run("harness", command, *(["--detach", "--only", "mule"] if command == "up" else []))
    assert done.returncode == 0, done.stderr
    assert stranger[0].is_running()
    if command == "up":
        assert checkout.run("harness", "down").returncode == 0
    assert not path.exists()


def test_a_stranger_on_a_configured_port_is_told_and_left_alone(
    stranger: tuple[psutil.Process, int], folder: Path
) -> None:
    process, port = stranger
    checkout = Checkout(folder / "port-holder", FILES)
    refused = checkout.run("harness", "up", "--detach", MULE_PORT=str(port))
    assert refused.returncode == 2
    assert f"{port} for mule (MULE_PORT): pid {process.pid}, command: " in refused.stderr
    assert checkout.run("harness", "down", MULE_PORT=str(port)).returncode == 0
    with socket.create_connection(("127.0.0.1", port)):
        assert process.is_running()
    assert checkout.living() == []


def test_two_checkouts_at_once_do_not_disturb_each_other(folder: Path) -> None:
    checkouts = [Checkout(folder / name, FILES) for name in ("one", "other")]
    processes = [checkout.start("harness", "up", "--detach", "--json") for checkout in checkouts]
    systems = [described(process) for process in processes]
    for process in processes:
        process.communicate()
    numbers = [{service["port"] for service in system["services"].values()} for system in systems]
    assert not numbers[0] & numbers[1]
    members = checkouts[1].living()
    assert checkouts[0].run("harness", "down").returncode == 0
    assert checkouts[0].living() == []
    assert {each.pid for each in checkouts[1].living()} == {each.pid for each in members}
    status = checkouts[1].run("harness", "status", "--json")
    assert (status.returncode, json.loads(status.stdout)["nonce"]) == (0, systems[1]["nonce"])
    assert checkouts[1].run("harness", "down").returncode == 0
