"""``doctor`` and ``ports``: what is wrong on this machine, who holds a port, and what to do about it."""

from __future__ import annotations

import json
import os
import resource
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import psutil
import pytest

from harness import bootstrap, browser, bundle, doctor, leash, project
from harness.bootstrap import DROPPED, child_environment
from harness.doctor import Finding
from harness.ports import PORTS
from harness.topology import ROOT


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of the test's own, and no port settings of the developer's."""
    for variable in (*(port.variable for port in PORTS), "PORT_OFFSET"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("HARNESS_HOME", str(tmp_path / "home"))
    (tmp_path / "home" / "run").mkdir(parents=True)
    return tmp_path / "home"


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Another project than this checkout, whose ``.env`` a test may write."""
    (tmp_path / "pyproject.toml").write_text("[tool.harness]\n", encoding="utf-8")
    monkeypatch.setenv(project.VARIABLE, str(tmp_path))
    return tmp_path


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that this test listens on."""
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        yield stranger.getsockname()[1]


def harness(*arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "harness", *arguments],
        cwd=ROOT, env={**os.environ, **env}, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip


def only(findings: Iterator[Finding]) -> Finding:
    (found,) = findings
    return found


def record(home: Path, name: str, *, pid: int, created: float, services: list[tuple[int, float]]) -> None:
    told = {"name": name, "pid": pid, "created": created, "services": services}
    (home / "run" / f"{name}.json").write_text(json.dumps(told), encoding="utf-8")


def test_doctor_tells_each_problem_with_its_fix_and_fails_only_for_what_is_broken(taken: int) -> None:
    told = harness("doctor", "--json", IDP_PORT=str(taken), PYTHONDONTWRITEBYTECODE="1")
    report = json.loads(told.stdout)
    findings: dict[tuple[str, str], Mapping[str, Any]] = {(f["check"], f["state"]): f for f in report["findings"]}
    held = findings["ports", "broken"]
    assert (told.returncode, report["ok"]) == (1, False)
    assert f"{taken} for idp is held by pid {os.getpid()}, command: " in held["told"]
    assert "python -m harness ports --free" in held["fix"]
    assert findings["bytecode", "hint"]["fix"] == "unset PYTHONDONTWRITEBYTECODE"
    assert {check for check, _ in findings} >= {"python", "packages", "node", "web interface", "browser", "files"}
    assert [f for f in report["findings"] if f["state"] != "ok" and not f["fix"]] == []


def test_looking_changes_nothing_and_is_fine_with_hints(home: Path, taken: int) -> None:
    shifted = {port.variable: "0" for port in PORTS}
    assert harness("doctor", **(shifted | {"IDP_PORT": "text"})).returncode == 1
    told = harness("doctor", PORT_OFFSET="11000", HARNESS_BROWSER=sys.executable)
    assert told.returncode == 0, told.stdout
    assert "a whole browser" in told.stdout
    assert [path.name for path in home.rglob("*")] == ["run"]


def test_without_a_virtual_environment_doctor_says_so_and_makes_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(bootstrap, "PYTHON", tmp_path / "bin" / "python")
    assert bootstrap.main(["doctor"]) == 2
    assert "any other command makes it: python -m harness up" in capsys.readouterr().err
    assert not (tmp_path / "bin").exists()


def test_a_look_that_itself_fails_is_a_hint_and_the_others_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> Path:
        raise ImportError("no module named playwright")

    monkeypatch.setattr(browser, "find", missing)
    monkeypatch.setattr(bundle, "is_current", missing)
    findings = list(doctor.examine("up"))
    failed = [finding.check for finding in findings if "no module named playwright" in finding.told]
    assert failed == ["web interface", "browser"]
    assert findings[-1].check == "leftovers"


@pytest.mark.parametrize("what", ["a folder", "binary"])
def test_an_unreadable_dotenv_is_broken(what: str, elsewhere: Path) -> None:
    path = elsewhere / ".env"
    path.mkdir() if what == "a folder" else path.write_bytes(b"IDP_PORT=\xff\xfe\n")
    found = [finding for finding in doctor.examine("up") if finding.check == ".env"]
    assert [(finding.state, bool(finding.fix)) for finding in found] == [("broken", True)]


def test_a_port_variable_that_nobody_reads_is_a_hint(elsewhere: Path) -> None:
    (elsewhere / ".env").write_text("IPD_PORT=9500\nAPI_PORT=8500\nTOKEN=x\n", encoding="utf-8")
    found = only(doctor.dotenv())
    assert (found.state, found.told) == ("hint", "IPD_PORT set no port of ours")


def test_localhost_must_be_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    def resolved(address: str) -> Finding:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [(family, socket.SOCK_STREAM, 6, "", (address, 0))])
        return only(doctor.localhost())

    assert resolved("127.0.0.1").state == "ok"
    assert resolved("203.0.113.7").state == "broken"
    monkeypatch.setattr(doctor, "LOOPBACK", ((socket.AF_INET, "127.0.0.1"),))
    assert (resolved("::1").state, resolved("::1").told.split(",")[0]) == ("hint", "resolves to ::1")


def test_a_folder_that_cannot_be_written_is_broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("HARNESS_HOME", str(tmp_path / "file"))
    assert (only(doctor.files()).state, "HARNESS_HOME=" in only(doctor.files()).fix) == ("broken", True)


def test_few_descriptors_are_a_hint(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (256, 4096))
    assert (only(doctor.files()).state, only(doctor.files()).fix) == ("hint", "ulimit -n 4096")


def test_packages_that_are_not_those_of_the_lock_are_broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert only(doctor.packages()).state == "ok"
    (tmp_path / "Rich-0.1.dist-info").mkdir()
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path)])
    assert (only(doctor.packages()).state, "rich is 0.1, not " in only(doctor.packages()).told) == ("broken", True)


def test_what_our_own_commands_do_not_see_is_told_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "PYTHONDONTWRITEBYTECODE" not in child_environment({"PYTHONDONTWRITEBYTECODE": "1"})
    monkeypatch.setenv(DROPPED, "VIRTUAL_ENV")
    assert only(doctor.bytecode()).state == "ok"


def test_leftovers_of_dead_supervisors_are_told_and_nothing_is_done_to_them(home: Path) -> None:
    living = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        service = (living.pid, leash.created(living.pid))
        record(home, "script-1", pid=os.getpid(), created=leash.created(os.getpid()), services=[service])
        record(home, "script-2", pid=os.getpid(), created=1.0, services=[service])
        record(home, "script-3", pid=os.getpid(), created=1.0, services=[(living.pid, 2.0)])
        (home / "run" / "odd.json").write_text("{", encoding="utf-8")
        found = [(finding.state, finding.told) for finding in doctor.leftovers()]
        assert psutil.Process(living.pid).is_running()
    finally:
        living.communicate(b"\n")
    assert [state for state, _ in found] == ["hint", "broken", "hint", "ok"]
    assert found[1][1] == f"script-2 has died, but its services run on: {living.pid}"
    assert found[3][1] == "running: script-1"
    assert len(list((home / "run").iterdir())) == 4


def test_ports_name_who_set_them_and_who_holds_them(taken: int) -> None:
    told = harness("ports", "--check", "--json", PORT_OFFSET="11000", IDP_PORT=str(taken))
    ports = {port["service"]: port for port in json.loads(told.stdout)["ports"]}
    assert told.returncode == 1
    assert (ports["idp"]["state"], ports["idp"]["source"]) == ("taken", "environment")
    assert ports["idp"]["holder"]["pid"] == os.getpid()
    assert (ports["ui"]["state"], ports["ui"]["source"]) == ("free", "the default plus PORT_OFFSET")
    assert ports["ui"]["port"] == next(port.default for port in PORTS if port.service == "ui") + 11000  # type: ignore[operator]


def test_free_ports_are_lines_for_dotenv_that_ports_then_accepts() -> None:
    told = harness("ports", "--free")
    settings = dict(line.split("=") for line in told.stdout.splitlines())
    assert list(settings) == [port.variable for port in PORTS]
    assert harness("ports", "--check", **settings).returncode == 0
