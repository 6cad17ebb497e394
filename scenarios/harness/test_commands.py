"""The command line as its users meet it: the real program, its exit codes, and what it leaves behind."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import jwt
import psutil
import pytest

from harness import cli, leash
from harness.bootstrap import child_environment
from harness.code_flow import tls
from harness.ports import PORTS, reserve
from harness.topology import ROOT

pytestmark = pytest.mark.xdist_group("commands")  # one detached system for all

STOPS_WITHIN_S = 5.0
Harness = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def surroundings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An environment whose system is not the developer's: a folder of its own, and no port settings."""
    settings = {port.variable for port in PORTS} | {"PORT_OFFSET"}
    env = {name: value for name, value in child_environment(os.environ).items() if name not in settings}
    return env | {"HARNESS_HOME": str(tmp_path_factory.mktemp("harness"))}


@pytest.fixture(scope="module")
def harness(surroundings: Mapping[str, str]) -> Harness:
    """``harness("status", "--json", IDP_PORT="…")``: run a command to its end."""

    def run(*arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "harness", *arguments],
            cwd=ROOT, env={**surroundings, **env}, capture_output=True, text=True, check=False, timeout=90,
        )  # fmt: skip

    return run


@pytest.fixture(scope="module")
def detached(harness: Harness) -> Iterator[dict[str, Any]]:
    """A small system that ``up --detach`` has left running."""
    started = harness("up", "--ports", "random", "--only", "idp", "--detach", "--json")
    assert started.returncode == 0, started.stderr
    yield json.loads(started.stdout)
    assert harness("down").returncode == 0


@pytest.fixture
def foreground(surroundings: Mapping[str, str]) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts ``up`` in the foreground; whatever a test leaves of it is ended."""
    started: list[subprocess.Popen[str]] = []

    def up(home: Path) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "harness", "up", "--ports", "random", "--only", "idp", "--json"],
            cwd=ROOT, env={**surroundings, "HARNESS_HOME": str(home)}, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True, start_new_session=True,
        )  # fmt: skip
        started.append(process)
        return process

    yield up
    for process in started:
        if process.poll() is None:
            process.kill()
        process.wait()


def read_json(process: subprocess.Popen[str]) -> dict[str, Any]:
    """The document ``up --json`` prints when all is healthy; the process runs on."""
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        if line == "}\n":
            break
    document: dict[str, Any] = json.loads("".join(lines))
    return document


def family(pid: int) -> list[psutil.Process]:
    parent = psutil.Process(pid)
    return [parent, *parent.children(recursive=True)]


def test_up_tells_where_everything_answers(detached: dict[str, Any]) -> None:
    idp = detached["services"]["idp"]
    health = httpx.get(f"{idp['url']}/healthz").json()
    assert (idp["state"], health["instance"]) == ("healthy", detached["nonce"])
    assert idp["url"] == f"http://localhost:{idp['port']}"
    assert psutil.pid_exists(idp["pid"])


def test_status_asks_the_services_now(harness: Harness, detached: dict[str, Any]) -> None:
    told = harness("status", "--json")
    assert (told.returncode, json.loads(told.stdout)["nonce"]) == (0, detached["nonce"])
    pid = detached["services"]["idp"]["pid"]
    os.kill(pid, signal.SIGSTOP)
    try:
        paused = harness("status", "--json")
    finally:
        os.kill(pid, signal.SIGCONT)
    assert (paused.returncode, json.loads(paused.stdout)["services"]["idp"]["state"]) == (1, "unhealthy")
    assert harness("status").returncode == 0


def test_a_second_up_is_refused_and_says_what_to_do(harness: Harness, detached: dict[str, Any]) -> None:
    refused = harness("up", "--ports", "random", "--detach")
    assert refused.returncode == 2
    assert "running already" in refused.stderr
    assert "python -m harness down" in refused.stderr
    assert httpx.get(f"{detached['services']['idp']['url']}/healthz").status_code == 200


def test_logs_show_each_line_behind_its_service(harness: Harness, detached: dict[str, Any]) -> None:
    httpx.get(f"{detached['services']['idp']['url']}/made-up-for-the-log")
    told = harness("logs", "idp")
    assert told.returncode == 0
    assert all(line.startswith("idp | ") for line in told.stdout.splitlines())
    assert "GET /made-up-for-the-log" in told.stdout


def test_restart_keeps_the_port_and_changes_the_process(harness: Harness, detached: dict[str, Any]) -> None:
    before = json.loads(harness("status", "--json").stdout)["services"]["idp"]
    restarted = harness("restart", "idp", "--json")
    after = json.loads(restarted.stdout)["services"]["idp"]
    assert (restarted.returncode, after["state"], after["port"]) == (0, "healthy", before["port"])
    assert after["pid"] != before["pid"]
    assert not psutil.pid_exists(before["pid"])


def test_restart_of_a_service_that_is_not_part_of_the_system_is_refused(
    harness: Harness, detached: dict[str, Any]
) -> None:
    refused = harness("restart", "api")
    assert (refused.returncode, "not part of the running system" in refused.stderr) == (2, True)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_however_up_ends_nothing_is_left(
    number: signal.Signals, foreground: Callable[..., subprocess.Popen[str]], tmp_path: Path
) -> None:
    process = foreground(tmp_path)
    described = read_json(process)
    everything = family(process.pid)
    assert len(everything) == 4, "the launcher, its supervisor, the zygote, one service"

    process.send_signal(number)
    process.communicate(timeout=STOPS_WITHIN_S)

    assert leash.wait_gone(everything, timeout=STOPS_WITHIN_S)
    reserve(described["services"]["idp"]["port"]).close()
    assert process.returncode == (-number if number == signal.SIGKILL else 0)


def test_the_next_up_ends_what_a_power_cut_left(
    harness: Harness, foreground: Callable[..., subprocess.Popen[str]], tmp_path: Path
) -> None:
    """A supervisor killed outright leaves its record; only processes with the recorded creation time are ended."""
    process = foreground(tmp_path)
    described = read_json(process)
    everything = family(process.pid)
    for each in everything[:-1]:
        each.kill()
    harness("down", HARNESS_HOME=str(tmp_path))
    assert leash.wait_gone(everything, timeout=STOPS_WITHIN_S)
    reserve(described["services"]["idp"]["port"]).close()
    assert list((tmp_path / "run").glob("*.json")) == []


def test_a_taken_port_is_told_with_its_holder_and_nothing_is_started(harness: Harness, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        number = taken.getsockname()[1]
        refused = harness("up", "--only", "idp", "--port", f"idp={number}", HARNESS_HOME=str(tmp_path))
    assert refused.returncode == 2
    assert f"{number} for idp (IDP_PORT): pid {os.getpid()}, command: " in refused.stderr
    assert "nothing was started" in refused.stderr
    assert list((tmp_path / "run").glob("*.json")) == []


def test_bad_ports_are_refused_together_before_anything_starts(harness: Harness, tmp_path: Path) -> None:
    refused = harness("up", "--port", "ui=0", HARNESS_HOME=str(tmp_path), IDP_PORT="text", API_PORT="70000")
    assert refused.returncode == 2
    for told in ("UI_PORT='0' (flag)", "IDP_PORT='text' (environment)", "API_PORT='70000' (environment)"):
        assert told in refused.stderr
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ("up", "--only", "nonsense"),
        ("up", "--port", "nonsense"),
        ("up", "--ports", "random", "--port-offset", "5"),
        ("restart", "nonsense"),
        ("fuzz", "rest", "--max-examples", "0"),
        ("record", "Not A Name"),
        (),
    ],
    ids=" ".join,
)
def test_wrong_use_is_refused(
    arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HARNESS_HOME", str(tmp_path))
    try:
        code = cli.main(arguments)
    except SystemExit as ended:  # by argparse
        code = ended.code  # type: ignore[assignment]
    told = capsys.readouterr()
    assert (code, told.out) == (2, "")
    assert "error: " in told.err


@pytest.mark.parametrize(
    "arguments", [("nonsense",), ("up", "--ports", "random", "--only", "idp", "--world", "atlantis")], ids=" ".join
)
def test_wrong_use_exits_with_2_and_without_a_traceback(
    arguments: tuple[str, ...], harness: Harness, tmp_path: Path
) -> None:
    refused = harness(*arguments, HARNESS_HOME=str(tmp_path))
    assert refused.returncode == 2
    assert refused.stdout == ""
    assert "error: " in refused.stderr
    assert not refused.stderr.startswith("Traceback")


def test_without_a_system_status_fails_and_down_is_content(harness: Harness, tmp_path: Path) -> None:
    status = harness("status", "--json", HARNESS_HOME=str(tmp_path))
    assert (status.returncode, json.loads(status.stdout)) == (1, {"stack": None, "nonce": None, "services": {}})
    assert harness("down", HARNESS_HOME=str(tmp_path)).returncode == 0
    assert harness("logs", HARNESS_HOME=str(tmp_path)).returncode == 2


def test_the_first_line_comes_before_any_library_is_loaded() -> None:
    seen = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "harness", "up", "--port", "nonsense"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    ).stderr  # fmt: skip
    before, _, after = seen.partition("Dress Rehearsal · up")
    assert after
    assert [library for library in ("psutil", "rich", "dotenv", "httpx", "asyncio") if f" {library}\n" in before] == []


def test_token_prints_one_that_a_shell_can_take(harness: Harness, detached: Mapping[str, Any]) -> None:
    good = harness("token", "alice", "--audience", "ticketing", "--scope", "tickets:read")
    told = jwt.decode(good.stdout.strip(), options={"verify_signature": False})
    assert (told["scope"], told["aud"].endswith("/mcp"), good.stderr) == ("tickets:read", True, "")
    nora = [harness("token", "nora", *organization) for organization in ((), ("--organization", "globex"))]
    seen = [jwt.decode(each.stdout.strip(), options={"verify_signature": False}) for each in nora]
    assert [each["roles"] for each in seen] == [["agent"], ["viewer"]]
    expired = json.loads(harness("token", "alice", "--recipe", "expired", "--json").stdout)
    assert expired["expect"] == [{"status": 401, "error": "invalid_token", "challenge": True}]
    assert jwt.decode(expired["token"], options={"verify_signature": False})["sub"] == told["sub"]


def test_token_opens_the_simulation_api(harness: Harness, detached: Mapping[str, Any]) -> None:
    secret, url = harness("token", "--simulation").stdout.strip(), detached["services"]["idp"]["url"]
    with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {secret}"}, verify=tls()) as http:
        assert http.get("/_sim/recipes").status_code == 200


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("nobody",), "who can: alice"),
        (
            ("nora", "--organization", "initech"),
            "nora' is not in the organization 'initech'\n  → they are in acme, globex",
        ),
        (("nora", "--scope", "tickets:read tickets:all"), "→ its scopes: openid, profile, "),
        (("nora", "--organization", "initech", "--recipe", "expired"), "nora is not in 'initech', but in acme, globex"),
        (("alice", "--recipe", "none-such"), "there is no recipe 'none-such'"),
    ],
)
def test_token_says_what_is_wrong(
    harness: Harness, detached: Mapping[str, Any], arguments: tuple[str, ...], said: str
) -> None:
    refused = harness("token", *arguments)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert said in refused.stderr
