"""The clients people have: FastMCP's command line and MCP Inspector's, given the ``mcp.json`` of a running system."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from harness import modules, node
from harness.bootstrap import child_environment
from harness.environ import QUIET_LIBRARIES
from harness.ports import PORTS
from harness.topology import ROOT
from scenarios.services.mcp_servers.forks import Forks

pytestmark = pytest.mark.xdist_group("mcp-clients")  # one detached system for all

INSPECTOR = "node_modules/@modelcontextprotocol/inspector/clients/launcher/build/index.js"
ENDS_WITHIN_S = 60.0
TOOL_REFUSED = 5
"""What Inspector exits with for a result that is marked as error."""
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def harness(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """``harness("mcp", "--as", "alice")``: run a command to its end, in a system that is not the developer's."""
    settings = {port.variable for port in PORTS} | {"PORT_OFFSET"}
    env = {name: value for name, value in child_environment(os.environ).items() if name not in settings}
    env |= {"HARNESS_HOME": str(tmp_path_factory.mktemp("harness"))}

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "harness", *arguments],
            cwd=ROOT, env=env, capture_output=True, text=True, check=False, timeout=ENDS_WITHIN_S,
        )  # fmt: skip

    return run


@pytest.fixture(scope="module")
def running(harness: Run) -> Iterator[None]:
    """Both servers, as ``up --detach`` leaves them running."""
    started = harness("up", "--ports", "random", "--only", "ticketing,organizations", "--detach")
    assert started.returncode == 0, started.stderr
    yield
    assert harness("down").returncode == 0


@pytest.fixture(scope="module")
def configuration(harness: Run, running: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The ``mcp.json`` with a token of Alice."""
    printed = harness("mcp", "--as", "alice")
    assert printed.returncode == 0, printed.stderr
    file = tmp_path_factory.mktemp("client") / "mcp.json"
    file.write_text(printed.stdout, encoding="utf-8")
    return file


@pytest.fixture
def server(configuration: Path) -> Callable[[str], tuple[str, str]]:
    """``server("ticketing")``: its URL, and the token."""

    def found(name: str) -> tuple[str, str]:
        told = json.loads(configuration.read_text(encoding="utf-8"))["mcpServers"][name]
        return told["url"], told["headers"]["Authorization"].removeprefix("Bearer ")

    return found


@pytest.fixture
def fastmcp(forks: Forks, tmp_path: Path) -> Run:
    """FastMCP's command line."""
    env = child_environment(os.environ) | QUIET_LIBRARIES | {"HOME": str(tmp_path)}

    def run(*arguments: str, answer: str = "") -> subprocess.CompletedProcess[str]:
        return forks.run("fastmcp.cli:app", *arguments, env=env, folder=tmp_path, answer=answer)

    return run


@pytest.fixture
def inspector(tmp_path: Path) -> Run:
    """MCP Inspector's command line."""
    modules.ensure(modules.ORACLES)

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(node.NODE), INSPECTOR, *arguments, "--format", "json"],
            cwd=modules.ORACLES, env=node.environment() | {"HOME": str(tmp_path)},
            stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=ENDS_WITHIN_S,
        )  # fmt: skip

    return run


def read(done: subprocess.CompletedProcess[str]) -> Any:
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


@pytest.mark.usefixtures("running")
def test_mcp_json_names_every_server_and_holds_no_secret_unless_asked_to(harness: Run) -> None:
    servers = read(harness("mcp"))["mcpServers"]
    assert list(servers) == ["ticketing", "organizations"]
    for told in servers.values():
        assert told.keys() == {"type", "url"}
        assert (told["type"], told["url"].endswith("/mcp")) == ("http", True)
    assert read(harness("mcp", "--json"))["mcpServers"] == servers


@pytest.mark.usefixtures("running")
@pytest.mark.parametrize(
    "wrong",
    [("--as", "mallory"), ("--as", "nora", "--organization", "initech"), ("--organization", "globex")],
    ids=["nobody", "in no such organization", "of nobody"],
)
def test_there_is_no_token_of_somebody_who_is_not_there(harness: Run, wrong: tuple[str, ...]) -> None:
    refused = harness("mcp", *wrong)
    assert (refused.returncode, refused.stdout) == (2, "")


@pytest.mark.usefixtures("running")
def test_a_token_is_about_the_organization_that_is_named(harness: Run, fastmcp: Run, tmp_path: Path) -> None:
    file = tmp_path / "mcp.json"
    file.write_text(json.dumps(read(harness("mcp", "--as", "nora", "--organization", "globex"))), encoding="utf-8")
    found = read(fastmcp("call", str(file), "organizations_whoami", "--json"))["structured_content"]
    assert (found["organization"]["slug"], found["role"]) == ("globex", "viewer")


def test_fastmcp_lists_what_mcp_json_names(fastmcp: Run, configuration: Path) -> None:
    listed = read(fastmcp("list", str(configuration), "--json"))
    names = {tool["name"] for tool in listed["tools"]}
    assert {"ticketing_get_ticket", "organizations_whoami"} <= names


def test_fastmcp_calls_a_tool(fastmcp: Run, server: Callable[[str], tuple[str, str]]) -> None:
    url, token = server("ticketing")
    found = read(fastmcp("call", url, "get_ticket", "key=ACME-1", "--auth", token, "--json"))
    assert found["structured_content"]["key"] == "ACME-1"


def test_what_a_tool_refuses_fails_the_command(fastmcp: Run, server: Callable[[str], tuple[str, str]]) -> None:
    url, token = server("ticketing")
    refused = fastmcp("call", url, "get_ticket", "key=GLBX-1", "--auth", token, "--json")
    assert refused.returncode == 1
    assert "not_found" in refused.stdout + refused.stderr


def test_fastmcp_asks_before_a_tool_destroys_and_goes_by_the_answer(
    harness: Run, fastmcp: Run, running: None, tmp_path: Path
) -> None:
    file = tmp_path / "mcp.json"
    file.write_text(json.dumps(read(harness("mcp", "--as", "olivia"))), encoding="utf-8")
    delete = ("call", str(file), "ticketing_delete_ticket", "key=ACME-3", "expected_version=2")
    declined = fastmcp(*delete, answer="false\n")
    assert declined.returncode == 1
    assert "Server asks: Delete ACME-3" in declined.stdout
    assert '"code":"declined"' in "".join((declined.stdout + declined.stderr).split())
    assert read(fastmcp("call", str(file), "ticketing_get_ticket", "key=ACME-3", "--json"))["structured_content"]
    approved = fastmcp(*delete, answer="true\n")
    assert approved.returncode == 0, approved.stdout + approved.stderr
    assert '"deleted": true' in approved.stdout
    gone = fastmcp("call", str(file), "ticketing_get_ticket", "key=ACME-3", "--json")
    assert "not_found" in gone.stdout + gone.stderr


@pytest.mark.parametrize("era", ["modern", "legacy"])
def test_inspector_lists_calls_and_reads(inspector: Run, server: Callable[[str], tuple[str, str]], era: str) -> None:
    url, token = server("ticketing")
    at = ("--cli", url, "--transport", "http", "--protocol-era", era, "--header", f"Authorization: Bearer {token}")
    tools = read(inspector(*at, "--method", "tools/list", "--strict"))["result"]["tools"]
    assert {"search_tickets", "get_ticket", "create_ticket"} <= {tool["name"] for tool in tools}
    (content,) = read(inspector(*at, "--method", "resources/read", "--uri", "ticket://ACME-1"))["result"]["contents"]
    assert json.loads(content["text"])["key"] == "ACME-1"


def test_inspector_tells_what_a_tool_refuses(inspector: Run, server: Callable[[str], tuple[str, str]]) -> None:
    """It holds errors to the output schema, too: one that did not fit was not shown."""
    url, token = server("ticketing")
    at = ("--cli", url, "--transport", "http", "--protocol-era", "modern", "--header", f"Authorization: Bearer {token}")
    asked = ("--method", "tools/call", "--tool-name", "get_ticket", "--tool-args-json", '{"key": "GLBX-1"}')
    refused = inspector(*at, *asked)
    assert refused.returncode == TOOL_REFUSED
    assert json.loads(refused.stdout)["result"]["structuredContent"]["code"] == "not_found"


def test_inspector_reads_mcp_json(inspector: Run, configuration: Path) -> None:
    at = ("--cli", "--config", str(configuration), "--server", "organizations")
    me = read(inspector(*at, "--method", "tools/call", "--tool-name", "whoami"))["result"]["structuredContent"]
    assert me["username"] == "alice"
