"""The MCP servers on PostgreSQL, as whole processes: several of one service share a database."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from harness.bootstrap import child_environment
from harness.topology import ROOT
from scenarios.services import postgresql
from scenarios.services.mcp_servers.forks import Forks
from scenarios.services.mcp_servers.wire import Wire

if TYPE_CHECKING:
    from harness.person import Person
    from harness.stack import Stack

pytestmark = pytest.mark.xdist_group("mcp-postgresql")  # begun first: it takes long

READY_IN_S = 60.0
WRITERS, WRITES = 4, 20

AsUser = Callable[[str], "Person"]


class Server:
    """A process of one service, which keeps its data at ``database``."""

    def __init__(
        self, service: str, database: str, *, forks: Forks, stack: Stack, log: Path, client: httpx.Client
    ) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._forks, self._log = forks, log
        self.wire = Wire(f"http://localhost:{self._socket.getsockname()[1]}", client)
        self._app = f"services.{service}.app:create_app"
        self._environment = {
            **child_environment(os.environ),
            "ISSUER_URL": stack.url("idp"),
            # The audience of the tokens: this process stands in for the one of the stack.
            f"{service.upper()}_URL": stack.url(service),
            f"{service.upper()}_DATABASE_URL": database,
            "ORGANIZATIONS_CLIENT_SECRET": "it changes no roles here",
            "WORLD": "small",
        }
        self.start()

    def start(self) -> None:
        with self._log.open("ab") as log, Path(os.devnull).open("rb") as nothing:
            given = [nothing.fileno(), log.fileno(), log.fileno(), self._socket.fileno()]
            command = ("harness.serve:main", "--app", self._app, "--fd", str(len(given) - 1))
            self._pid = self._forks.begin(*command, env=self._environment, files=given, folder=ROOT)
        deadline = time.monotonic() + READY_IN_S
        while True:  # the socket listens already: the answer comes when there is somebody to give it
            try:
                assert self.wire.client.get(f"{self.wire.url}/healthz", timeout=READY_IN_S).status_code == 200
            except httpx.TransportError:
                assert time.monotonic() < deadline, self._log.read_text(encoding="utf-8")
                assert self._forks.code(self._pid) is None, self._log.read_text(encoding="utf-8")
            else:
                return

    def kill(self) -> None:
        self._end(signal.SIGKILL)

    def close(self) -> None:
        if self._forks.code(self._pid) is None:
            self._end(signal.SIGTERM)
        self._socket.close()

    def _end(self, how: signal.Signals) -> None:
        os.kill(self._pid, how)
        assert self._forks.code(self._pid, within=READY_IN_S) is not None, self._log.read_text(encoding="utf-8")

    def call(self, tool: str, *, token: str, **arguments: Any) -> dict[str, Any]:
        result: dict[str, Any] = self.wire.call(tool, arguments, token=token).json()["result"]
        assert not result.get("isError"), result
        return dict(result["structuredContent"])


@pytest.fixture
def serve(
    forks: Forks, shared_stack: Stack, postgresql_server: postgresql.Server, tmp_path: Path, nobody: httpx.Client
) -> Iterator[Callable[..., Server]]:
    """``serve("ticketing", database)``: one more process of that service."""
    with ExitStack() as running:

        def serve(service: str, database: str) -> Server:
            log = tmp_path / f"{len(list(tmp_path.glob('*.log')))}.log"
            server = Server(service, database, forks=forks, stack=shared_stack, log=log, client=nobody)
            running.callback(server.close)
            return server

        yield serve


def test_two_processes_of_ticketing_share_a_database_and_what_they_said_outlives_them(
    serve: Callable[..., Server], postgresql_server: postgresql.Server, as_user: AsUser
) -> None:
    database, token = postgresql_server.new_database(), as_user("alice").token("ticketing")
    servers = [serve("ticketing", database) for _ in range(2)]

    def create(number: int) -> str:
        made = servers[number % 2].call("create_ticket", token=token, title=f"Write number {number}")
        return str(made["key"])

    with ThreadPoolExecutor(WRITERS) as threads:
        keys = list(threads.map(create, range(WRITES)))
    assert sorted(keys) == sorted(f"ACME-{number}" for number in range(13, 13 + WRITES))
    servers[0].kill()
    for place in (1, 0):
        found = servers[place].call("search_tickets", token=token, query="Write number", limit=100)
        assert {ticket["key"] for ticket in found["items"]} == set(keys)
        if place == 1:
            servers[0].start()


ONE_WRITE: Mapping[str, tuple[str, str]] = {
    "ticketing": ("create_ticket", "title"),
    "organizations": ("create_team", "display_name"),
}
"""What writes once, and the argument that tells one write from another."""


@pytest.mark.parametrize("service", ONE_WRITE)
def test_two_processes_tell_the_same_changes_in_one_order_and_who_waits_at_the_other_hears_of_them(
    serve: Callable[..., Server], postgresql_server: postgresql.Server, as_user: AsUser, service: str
) -> None:
    database, token = postgresql_server.new_database(), as_user("adam").token(service)
    servers, (tool, argument) = [serve(service, database) for _ in range(2)], ONE_WRITE[service]

    def write(number: int) -> None:
        servers[number % 2].call(tool, token=token, **{argument: f"Write number {number}"})

    with ThreadPoolExecutor(WRITERS + 1) as threads:
        waits = threads.submit(servers[0].call, "list_changes", token=token, after=0, wait_seconds=20)
        write(1)
        assert [change["position"] for change in waits.result(timeout=READY_IN_S)["items"]] == [1]
        list(threads.map(write, range(2, 2 + WRITES)))
    feeds = [server.call("list_changes", token=token, after=0, limit=100) for server in servers]
    assert feeds[0] == feeds[1]
    assert [change["position"] for change in feeds[0]["items"]] == list(range(1, WRITES + 2))
    servers[0].kill()
    servers[0].start()
    assert servers[0].call("list_changes", token=token, after=0, limit=100) == feeds[0]


def test_organizations_keeps_its_teams_there(
    serve: Callable[..., Server], postgresql_server: postgresql.Server, as_user: AsUser
) -> None:
    database, token = postgresql_server.new_database(), as_user("adam").token("organizations")
    server = serve("organizations", database)
    made = server.call("create_team", token=token, display_name="Plumbers")
    server.kill()
    server.start()
    teams = server.call("list_teams", token=token)["items"]
    assert [team["displayName"] for team in teams] == ["Plumbers"]
    assert made["id"] == teams[0]["id"]
