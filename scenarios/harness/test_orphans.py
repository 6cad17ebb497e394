"""Nothing outlives its owner: whoever is ended, and however, within three seconds all is gone and every port is free.

What runs is hard to get rid of: see :mod:`scenarios.harness.specimens`.
"""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from harness import launch, leash, project, state
from harness.control import Control
from scenarios.harness.checkout import MARK, Checkout, came_out_of, checkouts, described, shown, taken
from scenarios.harness.endings import SIGNALS, WITHIN_S, Endings, Family, each_signal, end, whole_checkout
from scenarios.harness.specimens import FILES, SPECIMENS

pytestmark = pytest.mark.xdist_group("orphans")  # what is started together is ended together


@pytest.fixture(scope="module", autouse=True)
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where the checkouts are. In the end nothing that ever came out of any of them may live."""
    with checkouts(tmp_path_factory) as place:
        yield place


@pytest.fixture(scope="module")
def launchers(folder: Path) -> Endings:
    """Four systems of ``up`` in the foreground; the launcher of each got another signal."""
    places = {number: Checkout(folder / f"launcher-{number.name}", FILES) for number in SIGNALS}
    processes = {number: checkout.start("harness", "up", "--json") for number, checkout in places.items()}
    families = {
        number: Family.of(places[number], process.pid, number, described(process), places[number].living())
        for number, process in processes.items()
    }
    endings = end(families, whole_checkout)
    for process in processes.values():
        process.communicate()
    return endings


@pytest.fixture(scope="module")
def supervisors(folder: Path) -> Endings:
    """Four systems of ``up --detach``; the supervisor of each got another signal."""
    places = {number: Checkout(folder / f"supervisor-{number.name}", FILES) for number in SIGNALS}
    processes = {number: checkout.start("harness", "up", "--detach", "--json") for number, checkout in places.items()}
    systems = {number: described(process) for number, process in processes.items()}
    for process in processes.values():
        process.communicate()
    families = {
        number: Family.of(checkout, checkout.supervisor(), number, systems[number], checkout.living())
        for number, checkout in places.items()
    }
    return end(families, whole_checkout)


@each_signal
def test_nothing_outlives_the_launcher(number: signal.Signals, launchers: Endings) -> None:
    launchers[number].assert_nothing_is_left()


@each_signal
def test_nothing_outlives_the_supervisor(number: signal.Signals, supervisors: Endings) -> None:
    supervisors[number].assert_nothing_is_left()


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
        family = Family.of(
            Checkout(folder / "fixtures", {}), 0, signal.SIGKILL, stack.describe(), came_out_of(folder / "fixtures")
        )
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
    family = Family.of(checkout, checkout.supervisor(), signal.SIGKILL, json.loads(started.stdout), members)
    ours = [each for each in members if {"harness.supervisor", "harness.zygote"} & set(each.cmdline())]
    for each in ours:  # all at one moment: none of them can clear up
        each.suspend()
    for each in ours:
        each.kill()
    assert leash.wait_gone(ours, timeout=WITHIN_S)
    assert checkout.living(), "what did not belong to any of them survives"

    again = checkout.run("harness", "up", "--detach", "--only", "app")
    assert again.returncode == 0, again.stderr
    assert [shown(each) for each in family.members if not leash.wait_gone([each], timeout=0)] == []
    assert taken(family.ports) == []
    assert checkout.run("harness", "down").returncode == 0
    assert checkout.living() == []


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
    done = checkout.run("harness", command, *(["--detach", "--only", "app"] if command == "up" else []))
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
    both = [Checkout(folder / name, FILES) for name in ("one", "other")]
    processes = [each.start("harness", "up", "--detach", "--json", "--only", "app") for each in both]
    systems = [described(process) for process in processes]
    for process in processes:
        process.communicate()
    numbers = [{service["port"] for service in system["services"].values()} for system in systems]
    assert not numbers[0] & numbers[1]
    members = both[1].living()
    assert both[0].run("harness", "down").returncode == 0
    assert both[0].living() == []
    assert {each.pid for each in both[1].living()} == {each.pid for each in members}
    status = both[1].run("harness", "status", "--json")
    assert (status.returncode, json.loads(status.stdout)["nonce"]) == (0, systems[1]["nonce"])
    assert both[1].run("harness", "down").returncode == 0
