"""Which system a scenario gets, and what becomes of it: shared, attached, kept after a failure, killed with pytest."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from harness import launch, leash, state
from harness.control import Control
from harness.errors import HarnessError
from harness.plugin import choices
from harness.plugin.attached import AttachedStack
from harness.stack import Stack
from harness.topology import ROOT
from scenarios.harness.inner import QUICK, Inner

pytestmark = pytest.mark.xdist_group("plugin-modes")

WITHIN_S = 3.0
PLAIN = (*QUICK, "-p", "no:playwright")
SHARED = """
import json, os, pathlib, pytest, signal, urllib.request

seen = {}

def keys(idp):
    with urllib.request.urlopen(idp.url + "/jwks") as answer:
        return answer.read()

@pytest.mark.xdist_group("a")
def test_first(idp):
    seen["pid"] = idp.stack.describe()["services"]["idp"]["pid"]
    seen["keys"] = keys(idp)
    assert keys(idp) == seen["keys"]

@pytest.mark.xdist_group("a")
def test_same_processes_another_world(idp):
    assert idp.stack.describe()["services"]["idp"]["pid"] == seen["pid"]
    assert keys(idp) != seen["keys"]

@pytest.mark.xdist_group("a")
@pytest.mark.destructive
def test_fails(idp):
    pathlib.Path("failed.json").write_text(json.dumps(idp.stack.describe()))
    assert False, "to be looked at"

@pytest.mark.xdist_group("a")
def test_gets_another_system(idp):
    assert idp.stack.describe()["services"]["idp"]["pid"] != seen["pid"]

@pytest.mark.xdist_group("b")
def test_kills_its_worker(idp):
    if pathlib.Path("killed.json").exists():  # xdist gives it to another worker
        return
    records = [json.loads(path.read_text()) for path in pathlib.Path("home/run").glob(f"pytest-*-{os.getpid()}.json")]
    pathlib.Path("killed.json").write_text(json.dumps({"records": records, **idp.stack.describe()}))
    os.kill(os.getpid(), signal.SIGKILL)
"""
ATTACHED = """
import httpx, pytest

def test_is_the_running_one(idp, stack, shared_stack, as_user):
    assert idp.stack is stack is shared_stack
    assert (stack.name, stack.seed) == ("up", 5)
    assert as_user("alice").token("api")

def test_begins_anew(stack):
    before = httpx.get(stack.url("idp") + "/jwks").json()
    assert httpx.get(stack.url("idp") + "/jwks").json() == before
    stack.reset()
    assert httpx.get(stack.url("idp") + "/jwks").json() != before

@pytest.mark.destructive
def test_would_break_it(stack): ...

@pytest.mark.world(seed=6)
def test_wants_another_world(stack): ...

def test_forgot_the_mark(idp):
    idp.restart()
"""


@dataclass(frozen=True)
class Options:
    """A run's options, as the plugin reads them."""

    given: dict[str, Any] = field(default_factory=dict)

    def getoption(self, name: str, default: object = None) -> object:
        return ({"--stack": "fresh", "--keep-on-failure": False} | self.given).get(name, default)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inner]:
    """A project whose run leaves something to look at; ended by `down` in the end."""
    made = Inner(tmp_path_factory.mktemp("shared"), SHARED)
    yield made
    down(made)


def down(inner: Inner) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "harness", "down"]
    return subprocess.run(command, cwd=ROOT, env=inner.environment, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def kept(shared: Inner) -> str:
    """What a run says that keeps the systems of failed tests."""
    arguments = ("-n", "2", "--dist", "loadgroup", "--stack=shared", "--keep-on-failure", "--seed=7", *PLAIN)
    return shared.run(*arguments).stdout


def test_one_system_serves_all_tests_of_a_worker_each_with_a_new_world(kept: str) -> None:
    assert "4 passed" in kept, kept
    assert set(re.findall(r"^FAILED \S+::(\w+)", kept, re.MULTILINE)) == {"test_fails", "test_kills_its_worker"}


def told(inner: Inner, name: str) -> dict[str, Any]:
    described: dict[str, Any] = json.loads((inner.folder / name).read_text(encoding="utf-8"))
    return described


def test_nothing_outlives_a_worker_that_was_killed_and_the_other_goes_on(kept: str, shared: Inner) -> None:
    (record,) = told(shared, "killed.json")["records"]
    pids = [record["pid"], *(pid for pid, _ in record["services"])]
    assert len(pids) == 2
    assert leash.wait_gone([psutil.Process(pid) for pid in pids if psutil.pid_exists(pid)], timeout=WITHIN_S)
    assert told(shared, "failed.json")["stack"].split("-")[1] != told(shared, "killed.json")["stack"].split("-")[1]


def test_the_system_of_a_failed_test_can_be_looked_at_after_the_session(kept: str, shared: Inner) -> None:
    summary = kept.partition("= kept running (--keep-on-failure) =")[2]
    url = re.search(r"^  idp +(\S+)$", summary, re.MULTILINE)
    assert url, kept
    assert "test_inner.py::test_fails" in summary
    assert "python -m harness down" in summary
    failed = told(shared, "failed.json")
    assert url[1] == failed["urls"]["idp"]
    assert httpx.get(url[1] + "/healthz").json()["instance"] == failed["nonce"]
    assert str(failed["folder"]) in summary
    assert Path(failed["folder"], "idp.log").exists()


def test_down_ends_what_was_kept(kept: str, shared: Inner) -> None:
    pid = told(shared, "failed.json")["services"]["idp"]["pid"]
    assert psutil.pid_exists(pid)
    done = down(shared)
    assert (done.returncode, done.stdout) == (0, "stopped; nothing is left running\n"), done.stderr
    assert not psutil.pid_exists(pid)
    assert list(shared.home.glob("run/*.json")) == []


@pytest.fixture
def running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stack]:
    """A system as `up` runs it, in a folder of its own."""
    monkeypatch.setenv(state.VARIABLE, str(tmp_path / "home"))
    with (
        launch.supervised("up", services=("idp",)) as control,
        launch.stack_of(control, name="up", choices=launch.choose("random"), seed=5, only=("idp",)) as stack,
    ):
        yield stack


def test_attached_tests_use_the_running_system_and_do_not_disturb_it(running: Stack, tmp_path: Path) -> None:
    before = running.describe()["services"]["idp"]["pid"]
    done = Inner(tmp_path, ATTACHED).run("--stack=attach", "-rsf", *PLAIN)
    assert "1 failed, 2 passed, 2 skipped" in done.stdout, done.stdout
    assert "destructive: it would disturb the running system" in done.stdout
    assert "needs another world than the running system has" in done.stdout
    assert "this test would restart idp, in a system that is not its own" in done.stdout
    assert "@pytest.mark.destructive" in done.stdout
    assert running.describe()["services"]["idp"]["pid"] == before


class Told(Control):
    """A supervisor that says what it was told to say."""

    def __init__(self, **changes: Any) -> None:
        super().__init__(0, "none")
        self.says = {"stack": "up", "nonce": "first", "seed": 1, "world": "base", "folder": "", "urls": {}, **changes}

    def call(self, *_: Any, **__: Any) -> Any:
        return self.says


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"nonce": "second"}, "another one took its place: nonce second, not first"),
        ({"services": {"idp": {"state": "crashed"}}}, "idp is crashed"),
    ],
)
def test_a_system_that_is_no_longer_the_same_is_not_tested(changes: dict[str, Any], complaint: str) -> None:
    control = Told(services={"idp": {"state": "healthy"}})
    stack = AttachedStack(control, control.says)
    stack.verify()
    control.says |= changes
    with pytest.raises(HarnessError) as refused:
        stack.verify()
    assert complaint in str(refused.value)


def test_there_must_be_something_to_attach_to(tmp_path: Path) -> None:
    refused = Inner(tmp_path, ATTACHED).run("--stack=attach", *PLAIN)
    assert refused.returncode == pytest.ExitCode.USAGE_ERROR
    assert "nothing is running in this checkout" in refused.stderr
    assert "python -m harness up" in refused.stderr
    assert "Traceback" not in refused.stderr + refused.stdout


def test_a_supervisor_that_ends_at_once_fails_the_test_at_once(tmp_path: Path) -> None:
    """pytest-xprocess itself waits two minutes for a child that is dead."""
    conftest = """
import sys
from harness import launch
pytest_plugins = ["harness.plugin"]
launch.supervisor_command = lambda *_, **__: [sys.executable, "-c", "print('no luck today'); raise SystemExit(3)"]
"""
    done = Inner(tmp_path, "def test_idp(idp): ...", conftest).run(*PLAIN)
    assert "1 error" in done.stdout
    # In CI pytest repeats the whole message in its summary.
    assert set(re.findall(r"^ *no luck today$", done.stdout, re.MULTILINE)) == {"  no luck today"}, done.stdout
    took = re.search(r"1 error in ([\d.]+)s", done.stdout)
    assert took
    assert float(took[1]) < WITHIN_S


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({"--stack": "attach", "--seed": 1}, "--seed cannot be had with --stack=attach"),
        ({"--stack": "attach", "--ports": "random", "--keep-on-failure": True}, "--ports and --keep-on-failure cannot"),
        ({"--ports": "configured", "numprocesses": 2}, "--ports configured is for one worker"),
    ],
)
def test_options_that_contradict_each_other_are_refused(given: dict[str, Any], complaint: str) -> None:
    with pytest.raises(pytest.UsageError, match=re.escape(complaint)):
        choices.read(Options(given))  # type: ignore[arg-type]
