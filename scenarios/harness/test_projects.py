"""Other people's systems: a made-up project of one ASGI app and one plain program, in a folder of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from harness import manifest
from harness.bootstrap import child_environment
from harness.manifest import ProjectError
from harness.ports import PORTS
from harness.topology import SERVICES

PYPROJECT = """
[tool.harness]
start = ["shop"]

[tool.harness.services.shop]
app = "shop:create_app"
needs = ["mail"]
health = "/ready"
env = { MAIL_URL = "{mail.url}", LETTERS = "{folder}/letters.txt" }

[tool.harness.services.mail]
title = "Sends letters"
command = "python -u -m http.server {port} --bind 127.0.0.1 --directory {folder}"
health = "/"
"""
SHOP = """
import os
import urllib.request
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route


def create_app():
    sold = []

    @asynccontextmanager
    async def lifespan(app):
        sold.clear()
        yield

    def ready(request):
        return PlainTextResponse("open")

    def sell(request):
        sold.append(1)
        return PlainTextResponse(f"{len(sold)} sold")

    def mail(request):
        with urllib.request.urlopen(os.environ["MAIL_URL"] + "/shop.log") as answer:
            return PlainTextResponse(answer.read())

    routes = [Route("/ready", ready), Route("/sell", sell, methods=["POST"]), Route("/mail", mail)]
    return Starlette(routes=routes, lifespan=lifespan)
"""
SCENARIOS = """
import urllib.request

import pytest


def sell(stack):
    with urllib.request.urlopen(urllib.request.Request(stack.url("shop") + "/sell", method="POST")) as answer:
        return answer.read().decode()


def test_sells_from_one(stack):
    assert sorted(stack.describe()["services"]) == ["mail", "shop"]
    assert sell(stack) == "1 sold"
    assert sell(stack) == "2 sold"
    stack.reset()
    assert sell(stack) == "1 sold"
    stack.restart("mail")
    with urllib.request.urlopen(stack.url("shop") + "/mail") as answer:
        assert b"/sell" in answer.read()
    assert [entry["path"] for entry in stack.journal()][:1] == ["/sell"]


def test_sells_from_one_again(stack):
    assert sell(stack) == "1 sold"
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The folder of the made-up project."""
    for name, text in {
        "pyproject.toml": PYPROJECT,
        "shop.py": SHOP,
        "conftest.py": 'pytest_plugins = ["harness.plugin"]',
        "test_shop.py": SCENARIOS,
    }.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def run(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """One command in the project's folder."""
    env = {key: value for key, value in child_environment(os.environ).items() if not key.startswith("HARNESS_")}
    return subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=project, env=env, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip


def test_fixtures_run_somebody_elses_system(project: Path) -> None:
    done = run(project, "pytest", "-q")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 passed" in done.stdout


def test_up_runs_somebody_elses_system(project: Path) -> None:
    """Its ``.env`` sets what services name as settings, nothing else, and nothing that the environment sets."""
    (project / ".env").write_text("CODE_SECONDS=77\nIDP_REGISTRY=\nSECRET_OF_MINE=1\n", encoding="utf-8")
    started = run(project, "harness", "up", "--detach", "--json")
    assert started.returncode == 0, started.stderr
    try:
        services = json.loads(started.stdout)["services"]
        assert {name: service["state"] for name, service in services.items()} == {"mail": "healthy", "shop": "healthy"}
        assert (project / ".harness" / "stacks" / "up" / "mail.log").exists()
        told = psutil.Process(services["mail"]["pid"]).environ()
        assert told["CODE_SECONDS"] == "77"
        assert not told.keys() & {"IDP_REGISTRY", "SECRET_OF_MINE"}
    finally:
        stopped = run(project, "harness", "down")
    assert stopped.returncode == 0, stopped.stderr
    assert not list((project / ".harness").glob("*/*.json"))


@pytest.mark.parametrize(
    ("table", "complaints"),
    [
        ({"serwices": {}}, ["serwices: Extra inputs are not permitted"]),
        ({"start": ["shop"]}, ["start: there is no service 'shop'"]),
        ({"services": {"shop": {}}}, ["services.shop: give app or command"]),
        ({"services": {"shop": {"app": "a:b", "command": "c"}}}, ["services.shop: Value error, give app or command"]),
        ({"services": {"shop": {"app": "shop.py"}}}, ["services.shop.app: String should match pattern"]),
        ({"services": {"Shop!": {"app": "a:b"}}}, ["services.Shop!: a name is made of"]),
        ({"services": {"shop": {"app": "a:b", "needs": ["mail"]}}}, ["there is no service 'mail'"]),
        ({"services": {"shop": {"app": "a:b", "port": 70000}}}, ["services.shop.port: "]),
        ({"services": {"shop": {"app": "a:b", "port": "80"}}}, ["services.shop.port: "]),
        ({"services": {"shop": {"app": "a:b", "ready_timeout": 0}}}, ["services.shop.ready_timeout: "]),
        ({"services": {"shop": {"app": "a:b", "health": "tcp"}}}, ['health = "tcp" says nothing of an app']),
        ({"services": {"shop": {"command": "run {prot}"}}}, ["services.shop.command: {prot} stands for nothing"]),
        ({"services": {"shop": {"command": "   "}}}, ["services.shop.command: it is empty"]),
        ({"services": {"shop": {"command": "run \0"}}}, ["services.shop.command: String should match pattern"]),
        ({"services": {"shop": {"app": "a:b", "env": {"A=B": "c"}}}}, ["services.shop.env.A=B"]),
        ({"services": {"port": {"app": "a:b"}}}, ["services.port: a name is made of", "none of port, url, folder"]),
        (
            {"services": {"ticketing-mcp": {"app": "a:b"}}},
            ["services.ticketing-mcp: its TICKETING_MCP_PORT is that of ticketing"],
        ),
        ({"services": {"shop": {"command": "run 'unclosed"}}}, ["services.shop.command: No closing quotation"]),
        ({"services": {"shop": {"app": "a:b", "env": {"A": "{idp.secret}"}}}}, ["env.A: {idp.secret} stands for noth"]),
        (
            {"services": {"a": {"app": "a:b", "needs": ["b"]}, "b": {"app": "a:b", "needs": ["a"]}, "c": {}}},
            ["services.a.needs: it needs itself", "services.b.needs: it needs itself", "services.c: give app"],
        ),
    ],
)
def test_a_wrong_table_is_told_with_every_mistake(table: dict[str, object], complaints: list[str]) -> None:
    with pytest.raises(ProjectError) as refused:
        manifest.read(Path("pyproject.toml"), table, services=SERVICES, ports=PORTS)
    for complaint in complaints:
        assert complaint in str(refused.value)


def test_a_wrong_table_ends_a_command_with_2(project: Path) -> None:
    (project / "pyproject.toml").write_text("[tool.harness.services.shop]\napp = 1\n", encoding="utf-8")
    refused = run(project, "harness", "up")
    assert refused.returncode == 2
    assert "services.shop.app: Input should be a valid string" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_one_of_the_five_can_be_replaced_and_keeps_its_place() -> None:
    described = manifest.read(
        Path("pyproject.toml"), {"services": {"api": {"app": "mine:create_app"}}}, services=SERVICES, ports=PORTS
    )
    mine, ours = described.services["api"], SERVICES["api"]
    assert (mine.app, mine.own) == ("mine:create_app", False)
    assert (mine.needs, mine.url_variable, mine.resource) == (ours.needs, ours.url_variable, ours.resource)
    assert described.start == tuple(SERVICES)
    assert described.ports == PORTS
