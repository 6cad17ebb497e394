"""What the supervisor does on its own: keeps a spare stack, restarts what dies, notices what no longer answers."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from harness import launch, leash, state
from harness.control import Control
from harness.errors import HarnessError
from harness.stack import Stack
from scenarios.harness.checkout import until as wait_until

pytestmark = pytest.mark.xdist_group("backends")

WITHIN_S = 5.0
RANDOM = launch.choose("random")


@pytest.fixture(scope="module")
def control(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Control]:
    """A supervisor in a folder of its own."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("HARNESS_HOME", str(tmp_path_factory.mktemp("home")))
        with launch.supervised("supervision", services=("idp",)) as supervisor:
            yield supervisor


def pid_of(stack: Stack) -> int:
    pid: int = stack.describe()["services"]["idp"]["pid"]
    return pid


@contextlib.contextmanager
def with_spare(control: Control, name: str, **others: Any) -> Iterator[Stack]:
    """A stack, beside which a spare one is ready."""
    with launch.stack_of(control, name=name, choices=RANDOM, only=("idp",), spare=True, **others) as stack:
        control.call("settle")
        yield stack


def spare_folders(stack: Stack) -> list[str]:
    """Those that nobody has taken yet, of a supervisor whose only other stack is ``stack``."""
    return sorted(path.name for path in stack.folder.parent.glob("*-spare-*") if path != stack.folder)


def test_the_next_stack_is_the_spare_one_and_another_takes_its_place(control: Control) -> None:
    with with_spare(control, "first") as first:
        (ready,) = spare_folders(first)
        keys = httpx.get(first.url("idp") + "/jwks").json()
        with with_spare(control, "second") as second:
            assert second.folder.name == ready
            assert (second.name, second.describe()["stack"]) == ("second", "second")
            assert second.nonce != first.nonce
            assert second.url("idp") != first.url("idp")
            assert httpx.get(second.url("idp") + "/jwks").json() != keys
            assert len(set(spare_folders(second)) - {first.folder.name}) == 1


def test_a_spare_of_another_kind_is_not_taken(control: Control) -> None:
    with with_spare(control, "first") as first:
        (ready,) = spare_folders(first)
        with with_spare(control, "second", seed=2) as second:
            assert second.folder.name == "second"
            assert ready not in spare_folders(second)


def test_a_spare_that_died_is_not_given_to_anybody(control: Control) -> None:
    with with_spare(control, "first") as first:
        (ready,) = spare_folders(first)
        with with_spare(control, "second") as second:
            (third,) = set(spare_folders(second)) - {ready, first.folder.name}
            killed = service_of(third)
            killed.kill()
            assert leash.wait_gone([killed], timeout=WITHIN_S)
            with with_spare(control, "third") as stack:
                assert stack.describe()["services"]["idp"]["state"] == "healthy"
                assert stack.folder.name == "third"


def service_of(folder: str) -> psutil.Process:
    """The process that writes into a log of that folder, once there is one."""
    deadline = time.monotonic() + WITHIN_S
    while time.monotonic() < deadline:
        for process in psutil.process_iter():
            with contextlib.suppress(OSError):
                if Path(f"/proc/{process.pid}/fd/1").readlink().parent.name == folder:
                    return process
    raise AssertionError(f"nothing writes into {folder}")


def test_what_dies_after_it_was_healthy_is_started_again_on_its_port(control: Control) -> None:
    stack = launch.start(control, name="up", choices=RANDOM, only=("idp",), restarts=True)
    try:
        for restarts, pause in enumerate((0.5, 1.0), start=1):
            os.kill(pid_of(stack), signal.SIGKILL)
            crashed = until(stack, "restarting")
            assert (crashed["exit_code"], crashed["retry_in_s"]) == (-9, pause)
            again = until(stack, "healthy")
            assert (again["restarts"], again["url"]) == (restarts, stack.url("idp"))
    finally:
        control.call("stop", name="up")


def test_without_being_told_so_a_crash_is_only_reported(control: Control) -> None:
    with launch.stack_of(control, name="once", choices=RANDOM, only=("idp",)) as stack:
        os.kill(pid_of(stack), signal.SIGKILL)
        assert until(stack, "crashed")["exit_code"] == -9
        assert stack.describe()["services"]["idp"]["restarts"] == 0


def until(stack: Stack, state: str) -> dict[str, Any]:
    """The service as it is described once it is in ``state``."""
    told: dict[str, Any] = {}

    def reached() -> bool:
        told.update(stack.describe()["services"]["idp"])
        return bool(told["state"] == state)

    wait_until(reached, within=WITHIN_S, otherwise=f"idp never was {state}")
    return told


def test_one_that_no_longer_answers_is_unhealthy_until_it_does(control: Control) -> None:
    with launch.stack_of(control, name="paused", choices=RANDOM, only=("idp",)) as stack:
        service = psutil.Process(pid_of(stack))
        service.suspend()
        try:
            assert stack.describe()["services"]["idp"]["state"] == "unhealthy"
        finally:
            service.resume()
        assert stack.describe()["services"]["idp"]["state"] == "healthy"


def test_a_stack_with_a_dead_service_is_not_begun_anew(control: Control) -> None:
    with launch.stack_of(control, name="half", choices=RANDOM, only=("idp",)) as stack:
        os.kill(pid_of(stack), signal.SIGKILL)
        until(stack, "crashed")
        with pytest.raises(HarnessError, match="idp cannot begin anew"):
            stack.reset()


def test_zygotes_hold_no_listeners_so_that_the_port_of_a_dead_service_refuses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A request read before the zygote divides came with sockets for one half, and both kept them."""
    monkeypatch.setenv("HARNESS_HOME", str(tmp_path))
    monkeypatch.delenv("PYTEST_XDIST_WORKER_COUNT", raising=False)
    only = ("ticketing", "organizations")
    with (
        launch.supervised("listeners", services=("idp", *only)) as control,
        launch.stack_of(control, name="first", choices=RANDOM, only=only) as stack,
    ):
        services = stack.describe()["services"]
        zygotes = {psutil.Process(each["pid"]).parent() for each in services.values()}
        assert zygotes
        held = [each for zygote in zygotes if zygote for each in zygote.net_connections("tcp")]
        assert [each for each in held if each.status == psutil.CONN_LISTEN] == []


@pytest.mark.parametrize("what", ["removed", "damaged"])
def test_a_record_that_is_lost_while_its_supervisor_lives_comes_back(control: Control, what: str) -> None:
    path = state.record_path("supervision")
    before = state.read("supervision")
    assert before is not None
    if what == "removed":
        path.unlink()
    else:
        path.write_text("{bad", encoding="utf-8")
    wait_until(lambda: state.read("supervision") is not None, within=WITHIN_S, otherwise="no record came back")
    after = state.read("supervision")
    assert after is not None
    assert (after.pid, after.control_port, after.secret) == (before.pid, before.control_port, before.secret)
