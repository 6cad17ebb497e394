"""Where this provider asks itself, to tell clients of a logout and to read who they are: no forgery of requests."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import httpx
import pytest
from anyio.from_thread import start_blocking_portal

from scenarios.services.idp.certificates import certificate, serving_with
from services.idp.outbound import Outbound
from services.idp.outbound_transport import AddressRefused

NAME = "apps.example"


@dataclass
class Server:
    """It notes by which name it was asked."""

    port: int = 0
    asked: list[str] = field(default_factory=list)


@contextmanager
def serving(tls: ssl.SSLContext | None = None) -> Iterator[Server]:
    here = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            here.asked.append(self.headers["Host"])
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *arguments: object) -> None:
            """A test has no use for it."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        if tls is not None:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        here.port = server.server_port
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield here
        server.shutdown()


def fetched(url: str, *, hosts: set[str], leads_to: list[str]) -> int:
    """The status of an answer, where every name leads to these addresses."""
    resolved: list[str] = []

    async def resolve(host: str, _port: int) -> list[str]:
        resolved.append(host)
        return leads_to

    async def get() -> int:
        outbound = Outbound(frozenset(hosts), resolve=resolve)
        assert outbound.allows(url)
        try:
            return (await outbound.client.get(url)).status_code
        finally:
            await outbound.close()
            assert len(resolved) == 1, "a second look could find something else"

    with start_blocking_portal() as portal:
        return portal.call(get)


@pytest.mark.parametrize(
    ("host", "address", "reached"),
    [
        ("localhost", "127.0.0.1", True),
        ("localhost", "::1", True),
        ("localhost", "192.168.0.1", False),
        ("127.0.0.1", "127.0.0.1", True),
        (NAME, "203.0.113.1", False),
        (NAME, "8.8.8.8", True),
        (NAME, "2606:4700::1111", True),
        (NAME, "127.0.0.1", False),
        (NAME, "::1", False),
        (NAME, "::ffff:127.0.0.1", False),
        (NAME, "169.254.169.254", False),
        (NAME, "192.168.0.1", False),
        (NAME, "100.64.0.1", False),
        (NAME, "0.0.0.0", False),  # noqa: S104 - an address to refuse
        (NAME, "224.0.0.1", False),
        (NAME, "fe80::1%eth0", False),
        (NAME, "fd00::1", False),
        (NAME, "10.1.2.3", True),
        (NAME, "::ffff:10.1.2.3", True),
        (NAME, "172.16.0.9", True),
        (NAME, "172.16.0.8", False),
    ],
)
def test_where_a_name_may_lead(host: str, address: str, reached: bool) -> None:
    assert Outbound(frozenset({NAME, "10.0.0.0/8", "172.16.0.9"})).may_reach(host, address) is reached


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("http://10.1.2.3/x", True),
        ("http://172.16.0.9:8000/x", True),
        ("http://172.16.0.8/x", False),
        ("http://8.8.8.8/x", False),
        ("http://[::ffff:10.1.2.3]/x", True),
        ("http://0x0a010203/x", False),
        ("http://167838211/x", False),
    ],
)
def test_an_address_is_allowed_by_its_network(url: str, allowed: bool) -> None:
    assert Outbound(frozenset({"10.0.0.0/8", "172.16.0.9"})).allows(url) is allowed


@pytest.mark.parametrize("others", [[], ["8.8.8.8"]])
def test_a_public_name_that_leads_to_this_machine_is_not_followed(others: list[str]) -> None:
    with serving() as server:
        with pytest.raises(AddressRefused):
            fetched(f"http://{NAME}:{server.port}/", hosts={NAME}, leads_to=[*others, "127.0.0.1"])
        assert server.asked == []


def test_a_network_that_is_allowed_is_reached_by_the_name() -> None:
    with serving() as server:
        url = f"http://{NAME}:{server.port}/"
        assert fetched(url, hosts={NAME, "127.0.0.0/8"}, leads_to=["127.0.0.1"]) == 200
        assert server.asked == [f"{NAME}:{server.port}"]


def test_the_next_address_is_tried_where_nobody_listens() -> None:
    with serving() as server:
        assert fetched(f"http://localhost:{server.port}/", hosts=set(), leads_to=["::1", "127.0.0.1"]) == 200


def test_a_name_that_leads_nowhere_is_an_error_of_the_connection() -> None:
    with pytest.raises(httpx.ConnectError):
        fetched(f"https://{NAME}/", hosts={NAME}, leads_to=[])


@pytest.mark.parametrize(("certified", "good"), [(NAME, True), ("other.example", False)])
def test_a_certificate_is_for_the_name_and_not_for_the_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, certified: str, good: bool
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate(tmp_path, certified)))
    with serving(serving_with(tmp_path)) as server:
        url = f"https://{NAME}:{server.port}/"
        if good:
            assert fetched(url, hosts={NAME, "127.0.0.1"}, leads_to=["127.0.0.1"]) == 200
        else:
            with pytest.raises(httpx.ConnectError, match="certificate"):
                fetched(url, hosts={NAME, "127.0.0.1"}, leads_to=["127.0.0.1"])
