"""mcp-authlab signs in by way of each MCP server, tries what no client may get away with, and grades what it saw."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from scenarios.services.idp.oracles.conftest import ENDS_WITHIN_S

if TYPE_CHECKING:
    from harness.stack import Stack

SIGN_INS = 8
"""More than it needs: it begins again whenever a failed probe has cost it its code."""

ON_THIS_MACHINE = {"TLS-01"}
"""It warns of plain HTTP, and takes it on the loopback address."""

WITHOUT_REGISTRATION = {"ASM-05"}
"""It warns where clients cannot register themselves."""


def authlab(folder: Path, *arguments: str) -> str:
    """Run it, with its tokens in a folder; returns what it prints. A failure shows all it said."""
    done = subprocess.run(
        [sys.executable, "-m", "mcp_authlab", *arguments],
        env={**os.environ, "HOME": str(folder), "XDG_CONFIG_HOME": str(folder)},
        capture_output=True, text=True, timeout=ENDS_WITHIN_S, check=False,
    )  # fmt: skip
    if done.returncode:
        pytest.fail(f"mcp-authlab {arguments[0]} exited with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


@pytest.mark.parametrize(
    ("server", "scope", "foreign"),
    [("ticketing", "tickets:read", "organizations"), ("organizations", "orgs:read", "ticketing")],
)
def test_it_grades_provider_and_server_with_an_a(
    stack: Stack, nobody: httpx.Client, tmp_path: Path, *, server: str, scope: str, foreign: str
) -> None:
    url = stack.audience(server)
    stack.control("idp").next_sign_ins(*["alice"] * SIGN_INS)
    asked = ["--client-id", "cli", "--scope", f"{scope} offline_access", "--foreign-resource", stack.audience(foreign)]
    authlab(tmp_path, "login", "--no-browser", "--thorough", *asked, url)
    report: dict[str, Any] = json.loads(authlab(tmp_path, "scan", "--format", "json", "--fail-under", "A", url))
    found = {check["id"]: check["status"] for check in report["results"]}
    assert found.keys() >= {"ASF-05", "TOK-02", "TOK-03", "PRM-02", "ORIG-01"}
    offered = nobody.get(f"{stack.url('idp')}/.well-known/openid-configuration").json()
    excused = ON_THIS_MACHINE | (set() if "registration_endpoint" in offered else WITHOUT_REGISTRATION)
    others = {name: status for name, status in found.items() if status != "pass" and name not in excused}
    assert (others, report["grade"]) == ({}, "A"), report
