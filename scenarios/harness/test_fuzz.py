"""``fuzz rest`` as its users meet it: exit code 1 on a finding, 0 without one, 2 when there is nothing to fuzz."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from types import SimpleNamespace

import pytest
import uvicorn
from fastapi import FastAPI
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.types import ASGIApp

from harness import cli, contract
from harness.bootstrap import child_environment
from harness.contract import Outcome
from harness.errors import HarnessError
from harness.topology import ROOT

SEED = "20261122"
Harness = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def fuzz(tmp_path: Path) -> Harness:
    """``fuzz("--target", url)``: run ``fuzz rest`` to its end."""

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "harness", "fuzz", "rest", "--seed", SEED, *arguments],
            cwd=ROOT, env=child_environment(os.environ) | {"HARNESS_HOME": str(tmp_path)},
            capture_output=True, text=True, check=False, timeout=90,
        )  # fmt: skip

    return run


class Reading(BaseModel):
    """What the made-up API promises to answer."""

    celsius: float


def thermometer(*, honest: bool) -> FastAPI:
    """A made-up API. Who returns a response instead of a value goes round the model that stands in the contract."""
    app = FastAPI()

    @app.get("/temperature", operation_id="getTemperature", response_model=Reading)
    def temperature() -> Reading | JSONResponse:
        return Reading(celsius=21.5) if honest else JSONResponse({"celsius": "warm"})

    return app


@contextmanager
def answering(app: ASGIApp) -> Iterator[str]:
    """A server of ``app``; yields its base URL."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = uvicorn.Server(uvicorn.Config(app, log_level="critical", lifespan="off"))
        thread = Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


@pytest.mark.parametrize(("honest", "code", "verdict"), [(True, 0, "nothing found"), (False, 1, "findings, see above")])
def test_an_api_that_breaks_its_own_contract_is_found_out(honest: bool, code: int, verdict: str, fuzz: Harness) -> None:
    with answering(thermometer(honest=honest)) as url:
        done = fuzz("--target", f"{url}/", "--max-examples", "1")
    assert done.returncode == code, done.stdout + done.stderr
    assert f"{verdict}; seed {SEED}" in done.stdout
    assert f"fuzz rest --seed {SEED} --max-examples 1 --target {url}" in done.stdout
    assert ('"warm" is not of type "number"' in done.stdout) is not honest


@pytest.mark.parametrize(
    "url", ["localhost:1234", "ftp://localhost", "http://", "http://localhost:99999", "http://localhost/?page=1"]
)
def test_what_is_no_base_url_is_refused(url: str) -> None:
    with pytest.raises(HarnessError, match=re.escape(f"{url!r} is not a base URL")):
        contract.base_url(url)


def test_where_no_contract_is_published_nothing_can_be_fuzzed(fuzz: Harness) -> None:
    with answering(FastAPI(openapi_url=None)) as url:
        refused = fuzz("--target", url)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert f"there is no OpenAPI document at {url}/openapi.json\n  404 " in refused.stderr
    with pytest.raises(HarnessError, match=f"no API answers at {url}"):
        contract.base_url(url)


@pytest.mark.parametrize(
    ("app", "options", "told"),
    [
        (thermometer(honest=True), ("--operation", "nope"), "there is no operation 'nope'"),
        (thermometer(honest=True), ("--operation", "getTemperature", "--operation", "x"), "there is no operation 'x'"),
        (FastAPI(), (), "there is no operation to fuzz"),
    ],
)
def test_an_operation_that_is_not_there_cannot_be_fuzzed(
    app: FastAPI, options: tuple[str, ...], told: str, fuzz: Harness
) -> None:
    with answering(app) as url:
        refused = fuzz("--target", url, *options)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert told in refused.stderr
    assert f"{url}/openapi.json has {'getTemperature' if options else 'none'}\n" in refused.stderr


def test_nobody_can_be_signed_in_for_a_foreign_api(fuzz: Harness) -> None:
    with answering(FastAPI()) as url:
        refused = fuzz("--target", url, "--as", "alice")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert f"nobody can be signed in for {url}" in refused.stderr


def test_the_mcp_servers_are_fuzzed_tool_by_tool(tmp_path: Path) -> None:
    command = (
        "fuzz",
        "mcp",
        "--seed",
        SEED,
        "--max-examples",
        "2",
        "--operation",
        "whoami",
        "--operation",
        "get_ticket",
    )
    done = subprocess.run(
        [sys.executable, "-m", "harness", *command],
        cwd=ROOT, env=child_environment(os.environ) | {"HARNESS_HOME": str(tmp_path)},
        capture_output=True, text=True, check=False, timeout=90,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.findall(r"^(\w+ \w+): ", done.stdout, re.MULTILINE)[:2] == [
        "ticketing get_ticket",
        "organizations whoami",
    ]
    assert f"nothing found; seed {SEED}" in done.stdout
    assert f"fuzz mcp --seed {SEED} --max-examples 2 --operation whoami --operation get_ticket" in done.stdout


def test_a_run_goes_round_by_person_and_seed_and_tells_how_to_repeat_the_last(fuzz: Harness) -> None:
    done = fuzz("--as", "alice,rita", "--max-examples", "1", "--operation", "getMe")
    assert done.returncode == 0, done.stdout + done.stderr
    rounds = re.findall(r"^· API at \S+, signed in as (\w+), seed (\d+)$", done.stderr, re.MULTILINE)
    assert rounds == [("alice", SEED), ("rita", str(int(SEED) + 1))]
    assert f"nothing found; 2 rounds, the last with seed {int(SEED) + 1}" in done.stdout
    assert f"fuzz rest --seed {int(SEED) + 1} --max-examples 1 --as rita --operation getMe" in done.stdout


def test_a_run_of_minutes_ends_with_its_first_finding(fuzz: Harness) -> None:
    with answering(thermometer(honest=False)) as url:
        done = fuzz("--target", url, "--max-examples", "1", "--minutes", "10")
    assert done.returncode == 1, done.stdout + done.stderr
    assert f"findings, see above; seed {SEED}" in done.stdout


def test_a_run_of_minutes_begins_anew_until_they_have_passed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    passed = iter([0.0, 30.0, 59.9, 60.0])
    monkeypatch.setattr("harness.cli.fuzz.time", SimpleNamespace(monotonic=lambda: next(passed)))
    seeds: list[int] = []

    def nothing_found(_url: str, *, seed: int, **_: object) -> Outcome:
        seeds.append(seed)
        return Outcome(ok=True, seed=seed, output="")

    monkeypatch.setattr(contract, "fuzz_rest", nothing_found)
    with answering(thermometer(honest=True)) as url:
        assert cli.main(["fuzz", "rest", "--target", url, "--minutes", "1", "--seed", str(2**32 - 1)]) == 0
    assert seeds == [2**32 - 1, 0, 1]
    assert "nothing found; 3 rounds, the last with seed 1\n" in capsys.readouterr().out
