"""Both ways to start services keep the same promises, and what goes wrong in them is told."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import get_args

import psutil
import pytest

from harness import launch, leash, worlds
from harness.bootstrap import child_environment
from harness.control import Control
from harness.errors import NotReadyError
from harness.stack import Stack
from harness.topology import ROOT, Kind

pytestmark = pytest.mark.xdist_group("backends")  # one supervisor of each kind for all

WITHIN_S = 5.0


@pytest.fixture(scope="module", params=get_args(Kind))
def control(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Control]:
    """A supervisor for each back end, in a folder of its own."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("HARNESS_HOME", str(tmp_path_factory.mktemp("home")))
        with launch.supervised("backends", backend=request.param, services=("idp",)) as supervisor:
            yield supervisor


def small(control: Control, *, world: str = "base") -> AbstractContextManager[Stack]:
    return launch.stack_of(control, name="small", choices=launch.choose("random"), only=("idp",), world=world)


def test_a_killed_service_is_reported_and_restarts_on_its_port(control: Control) -> None:
    with small(control) as stack:
        before = stack.describe()["services"]["idp"]
        killed = psutil.Process(before["pid"])
        killed.kill()
        assert leash.wait_gone([killed], timeout=WITHIN_S)
        stack.restart("idp")
        after = stack.describe()["services"]["idp"]
    assert (after["state"], after["port"]) == ("healthy", before["port"])
    assert after["pid"] != before["pid"]


def test_the_death_of_the_zygote_ends_its_services_and_the_next_start_has_another(control: Control) -> None:
    with small(control) as stack:
        service = psutil.Process(stack.describe()["services"]["idp"]["pid"])
        zygote = service.parent()
        assert zygote is not None
        assert "harness.zygote" in zygote.cmdline()
        zygote.kill()
        assert leash.wait_gone([zygote, service], timeout=WITHIN_S)
        stack.restart("idp")
        assert stack.describe()["services"]["idp"]["state"] == "healthy"


def test_a_service_that_refuses_to_start_is_told_with_its_reason_and_nothing_is_left(
    control: Control, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worlds, "chosen", str)  # as when a file is written over once it was looked at
    (tmp_path / "atlantis.yaml").write_text("organizations: []", encoding="utf-8")
    with pytest.raises(NotReadyError) as failed, small(control, world=str(tmp_path / "atlantis.yaml")):
        pass
    assert "idp ended with exit code 3" in failed.value.what
    assert "atlantis.yaml: organizations: List should have at least 1 item" in failed.value.evidence
    with small(control) as stack:
        assert stack.describe()["services"]["idp"]["state"] == "healthy"


def test_a_stack_stops_without_a_trace(control: Control) -> None:
    with small(control) as stack:
        service = psutil.Process(stack.describe()["services"]["idp"]["pid"])
        assert stack.folder.is_dir()
    assert leash.wait_gone([service], timeout=WITHIN_S)
    assert not stack.folder.exists()


@pytest.mark.parametrize("backend", get_args(Kind))
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_up_ends_at_once_while_it_is_still_starting(backend: str, number: signal.Signals, tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "harness", "up", "--ports", "random", "--backend", backend],
        cwd=ROOT, env=child_environment(os.environ) | {"HARNESS_HOME": str(tmp_path)},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True,
    )  # fmt: skip
    everything = descendants(process, at_least=3)
    process.send_signal(number)
    output, _ = process.communicate(timeout=WITHIN_S)
    assert process.returncode == 130, output
    assert leash.wait_gone(everything, timeout=WITHIN_S)
    assert list((tmp_path / "run").glob("*.json")) == []


def descendants(process: subprocess.Popen[str], *, at_least: int) -> list[psutil.Process]:
    """The process and what it has started, once that is something: none of it is ready by then."""
    parent = psutil.Process(process.pid)
    while len(family := [parent, *parent.children(recursive=True)]) < at_least:
        assert process.poll() is None
    return family
