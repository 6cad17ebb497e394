"""The conformance suite of the Model Context Protocol, its part for authorization servers, against the provider."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import chain
from pathlib import Path
from threading import Timer
from typing import Any

import pytest

from harness import modules, node, ports
from scenarios.services.idp.conftest import Client
from scenarios.services.idp.oracles.conftest import ENDS_WITHIN_S

PROGRAM = "node_modules/@modelcontextprotocol/conformance/dist/index.js"
LISTENS = "Callback server started"
WISHES = {"authorization-server-metadata-cimd": "client_id_metadata_document_supported"}
"""Checks that a server may fail: the suite only warns. Each with the member of the metadata that promises it."""


@contextmanager
def suite(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    """The suite while it runs; its standard output has its standard error, too."""
    process = subprocess.Popen(
        [str(node.NODE), PROGRAM, "authorization", *arguments],
        cwd=modules.ORACLES, env=node.environment(), text=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    watchdog = Timer(ENDS_WITHIN_S, process.kill)
    watchdog.start()
    try:
        yield process
    finally:
        watchdog.cancel()
        process.kill()
        process.communicate()


def signed_in(process: subprocess.Popen[str], idp: Client) -> list[str]:
    """Sign in where the suite says, as soon as it can be answered; returns all that it said."""
    said: list[str] = []
    for line in process.stdout or ():
        said.append(line)
        if line.startswith(LISTENS):
            address = next(each.strip() for each in said if each.startswith(f"{idp.at.idp}/authorize?"))
            idp.http.get(idp.pick("alice", idp.http.get(address)).headers["location"])
    return said


def checks(folder: Path) -> dict[str, dict[str, Any]]:
    return {each["id"]: each for path in folder.rglob("checks.json") for each in json.loads(path.read_text())}


@pytest.mark.usefixtures("javascript")
def test_every_check_of_an_authorization_server_passes(idp: Client, tmp_path: Path) -> None:
    options = {"--url": idp.at.idp, "--client-id": "cli", "--resource": idp.at.ticketing, "-o": str(tmp_path)}
    with closing(ports.reserve(0)) as reserved:
        reserved.lend()
        with suite(*chain(*options.items()), "--port", str(reserved.number)) as process:
            said = signed_in(process, idp)
    done = checks(tmp_path)
    assert {"authorization-server-metadata", "authorization-code-grant"} <= done.keys(), "".join(said)
    promised = idp.http.get("/.well-known/openid-configuration").json().keys()
    excused = {name for name, member in WISHES.items() if member not in promised}
    failed = {name: each for name, each in done.items() if each["status"] != "SUCCESS" and name not in excused}
    assert failed == {}, "".join(said)
