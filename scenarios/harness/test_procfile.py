"""The Procfile under the real honcho: five healthy services that trust each other, without a supervisor."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import httpx
import pytest

from harness import leash, standalone
from harness.bootstrap import child_environment
from harness.errors import HarnessError
from harness.person import Person
from harness.ports import PORTS, reserve
from harness.topology import ROOT, SERVICES

pytestmark = pytest.mark.xdist_group("procfile")  # five cold interpreters, once

HEALTHY_WITHIN_S = 60.0
STOPS_WITHIN_S = 15.0


@pytest.fixture(scope="module")
def surroundings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An environment with free ports, as `ports --free` offers them, and a folder of its own."""
    env = child_environment(os.environ) | {"HARNESS_HOME": str(tmp_path_factory.mktemp("harness"))}
    env["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), env["PATH"]])
    offered = subprocess.run(
        [sys.executable, "-m", "harness", "ports", "--free"],
        cwd=ROOT, env=env, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return env | dict(line.split("=") for line in offered.stdout.splitlines())


@pytest.fixture(scope="module")
def urls(surroundings: Mapping[str, str]) -> dict[str, str]:
    return {port.service: f"http://localhost:{surroundings[port.variable]}" for port in PORTS}


@pytest.fixture(scope="module")
def honcho(surroundings: Mapping[str, str], urls: Mapping[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """``honcho start``, once every service answers."""
    with (Path(surroundings["HARNESS_HOME"]) / "honcho.log").open("w+b") as log:
        started = subprocess.Popen(
            ["honcho", "start"], cwd=ROOT, env=surroundings, stdout=log, stderr=subprocess.STDOUT
        )
        try:
            for service, url in urls.items():
                wait_for(f"{url}{SERVICES[service].health}", started, log.name)
            yield started
        finally:
            started.send_signal(signal.SIGINT)
            started.wait(timeout=STOPS_WITHIN_S)


def wait_for(url: str, process: subprocess.Popen[bytes], log: str) -> None:
    deadline = time.monotonic() + HEALTHY_WITHIN_S
    while process.poll() is None and time.monotonic() < deadline:
        try:
            httpx.get(url).raise_for_status()
        except httpx.TransportError:
            time.sleep(0.05)  # nobody listens yet
        else:
            return
    raise AssertionError(f"{url} never answered\n{Path(log).read_text('utf-8')}")


def test_five_services_are_healthy_and_belong_together(
    honcho: subprocess.Popen[bytes], urls: Mapping[str, str], surroundings: Mapping[str, str]
) -> None:
    answers = {service: httpx.get(f"{url}{SERVICES[service].health}").json() for service, url in urls.items()}
    assert {service: answer["status"] for service, answer in answers.items()} == dict.fromkeys(SERVICES, "ok")
    shared = Path(surroundings["HARNESS_HOME"]) / "serve.json"
    assert {answer["instance"] for answer in answers.values()} == {json.loads(shared.read_text("utf-8"))["nonce"]}
    assert stat.S_IMODE(shared.stat().st_mode) == 0o600


def test_the_api_exchanges_tokens_with_the_secret_that_both_know(
    honcho: subprocess.Popen[bytes], urls: Mapping[str, str]
) -> None:
    audiences = {name: urls[name] + each.resource for name, each in SERVICES.items() if each.resource is not None}
    alice = Person("alice", issuer=urls["idp"], audiences=audiences)
    try:
        assert alice.api.get("/api/tickets").json()["total"] > 0
    finally:
        alice.close()


def test_a_second_one_is_refused_with_the_holder_of_its_port(
    honcho: subprocess.Popen[bytes], surroundings: Mapping[str, str]
) -> None:
    refused = subprocess.run(
        [sys.executable, "-m", "harness", "serve", "idp"],
        cwd=ROOT, env=surroundings, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert refused.returncode == 2
    assert f"{surroundings['IDP_PORT']} for idp (IDP_PORT): pid " in refused.stderr


def test_one_service_leaves_at_sigterm_and_gives_its_port_back(tmp_path: Path) -> None:
    number = reserve(0)
    number.close()
    env = child_environment(os.environ) | {"HARNESS_HOME": str(tmp_path), "UI_PORT": str(number.number)}
    log = tmp_path / "log"
    with log.open("wb") as output:
        served = subprocess.Popen(
            [sys.executable, "-m", "harness", "serve", "ui", "--address", "127.0.0.1"],
            cwd=ROOT, env=env, stdout=output, stderr=subprocess.STDOUT,
        )  # fmt: skip
    wait_for(f"http://127.0.0.1:{number.number}/healthz", served, str(log))
    (process,) = [leash.same_process(served.pid, leash.created(served.pid))]
    assert process is not None
    assert process.children() == [], "it has become the service, so that signals reach it"
    served.terminate()
    assert served.wait(timeout=STOPS_WITHIN_S) == -signal.SIGTERM
    reserve(number.number).close()


def test_all_who_start_at_once_share_what_the_first_has_made(tmp_path: Path) -> None:
    first = standalone.shared(tmp_path / "made" / "serve.json")
    assert standalone.shared(tmp_path / "made" / "serve.json") == first
    assert [path.name for path in (tmp_path / "made").iterdir()] == ["serve.json"]
    (tmp_path / "serve.json").write_text("{}", encoding="utf-8")
    with pytest.raises(HarnessError, match="cannot be read"):
        standalone.shared(tmp_path / "serve.json")
