"""The conformance suite of the Model Context Protocol against both servers, with the parts it calls by name added."""

from __future__ import annotations

import importlib
import json
import re
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harness import modules, node
from scenarios.services.mcp_servers.conformance import contents, questions
from scenarios.services.mcp_servers.serving import serving
from scenarios.services.mcp_servers.wire import MODERN

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from harness.person import Person
    from harness.stack import Stack

PROGRAM = "node_modules/@modelcontextprotocol/conformance/dist/index.js"
ENDS_WITHIN_S = 60.0
AsUser = Callable[[str], "Person"]
pytestmark = [
    pytest.mark.xdist_group("conformance"),
    pytest.mark.filterwarnings("ignore::mcp.MCPDeprecationWarning"),  # of what the older versions have in their suite
]

SUBSCRIPTIONS = {"resources-subscribe", "resources-unsubscribe"}
"""Gone in 2026-07-28, and the library has never had them."""
RESUMING = {"server-sse-priming-event", "server-sse-retry-field"}
"""What the suite only recommends, for streams that can be resumed; nothing here takes that long."""


class Bearing:
    """The app as a client sees it who has a token; the suite has none, and cannot be given one."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app = app
        self._header = (b"authorization", f"Bearer {token}".encode())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """All else stays as it came, the Host above all."""
        if scope["type"] == "http":
            scope = {**scope, "headers": [*scope["headers"], self._header]}
        await self._app(scope, receive, send)


@pytest.fixture(scope="session")
def javascript() -> None:
    """The packages of the suite; there already unless the lock has changed."""
    modules.ensure(modules.ORACLES)


@pytest.fixture(params=["ticketing", "organizations"])
def url(
    request: pytest.FixtureRequest,
    shared_stack: Stack,
    as_user: AsUser,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> Iterator[str]:
    """The endpoint of one of our servers, for somebody who is signed in; the suite's parts are mounted here alone."""
    service = request.param
    for name in ("ticketing", "organizations"):
        monkeypatch.setenv(f"{name.upper()}_URL", shared_stack.url(name))
        monkeypatch.setenv(f"{name.upper()}_DATABASE_URL", f"sqlite:///{tmp_path / name}.db")
    monkeypatch.setenv("ISSUER_URL", shared_stack.url("idp"))
    monkeypatch.setenv("ORGANIZATIONS_CLIENT_SECRET", "not needed")
    app = importlib.import_module(f"services.{service}.app").create_app()
    equip(app.state.mcp)
    with ExitStack() as opened:
        yield opened.enter_context(serving(Bearing(app, as_user("alice").token(service)))) + "/mcp"


def equip(mcp: Any) -> None:
    contents.add_tools(mcp)
    contents.add_resources(mcp)
    contents.add_prompts(mcp)
    questions.add(mcp)
    mcp.add_completion_handler(lambda _reference, _argument, _context: ["paris", "park", "party"])
    # Of the schemas that calls are compared with, our servers give the library those of their own tools.
    mcp._mcp_server.get_tool_input_schema = None  # noqa: SLF001


def suite(*options: str) -> str:
    """What the suite prints."""
    done = subprocess.run(
        [str(node.NODE), PROGRAM, *options],
        cwd=modules.ORACLES, env=node.environment(), text=True,
        stdin=subprocess.DEVNULL, capture_output=True, timeout=ENDS_WITHIN_S, check=False,
    )  # fmt: skip
    return done.stdout + done.stderr


@cache
def required(version: str) -> set[str]:
    """The scenarios that every server of that version has to pass."""
    listed, _, _ = suite("list", "--requirements", version).partition("Client scenarios")
    return set(re.findall(r"^  - (\S+)$", listed, re.MULTILINE))


def outcomes(folder: Path) -> dict[str, dict[str, str]]:
    """By scenario, what came of each check that was not passed."""
    found = {}
    for path in folder.rglob("checks.json"):
        checks = json.loads(path.read_text(encoding="utf-8"))
        bad = {each["id"]: f"{each['status']}: {each.get('errorMessage')}" for each in checks}
        passed = {each["id"] for each in checks if each["status"] in ("SUCCESS", "INFO", "SKIPPED")}
        scenario = re.sub(r"^server-(.*?)(-\d{4}-\d\d-\d\dT[\d-]+Z)$", r"\1", path.parent.name)
        found[scenario] = {name: told for name, told in bad.items() if name not in passed}
    return found


@pytest.mark.usefixtures("javascript")
def test_every_scenario_of_2026_07_28_passes(url: str, tmp_path: Path) -> None:
    said = suite("server", "--url", url, "-o", str(tmp_path), "--suite", "all", "--spec-version", MODERN)
    found = outcomes(tmp_path)
    assert len(required(MODERN)) > 30
    assert required(MODERN) <= found.keys(), said
    assert {name: failed for name, failed in found.items() if failed} == {}


@pytest.mark.usefixtures("javascript")
def test_every_scenario_of_2025_11_25_passes_but_subscriptions(url: str, tmp_path: Path) -> None:
    said = suite("server", "--url", url, "-o", str(tmp_path), "--requirements", "2025-11-25")
    found = outcomes(tmp_path)
    assert len(required("2025-11-25")) > 25
    assert required("2025-11-25") <= found.keys(), said
    failed = {name: failed for name, failed in found.items() if failed}
    assert failed.pop("server-sse-polling").keys() == RESUMING
    assert failed.keys() == SUBSCRIPTIONS, failed
