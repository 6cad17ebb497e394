"""HTTP as it is written on the wire: requests that no client library would send."""

from __future__ import annotations

import socket
from collections.abc import Iterable
from dataclasses import dataclass
from http.client import HTTPResponse
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx

if TYPE_CHECKING:
    from harness.person import Person

ANSWERS_IN_S = 20


@dataclass(frozen=True)
class Raw:
    """A request but for its method and path. Its length is told unless ``headers`` say where the body ends."""

    body: bytes = b""
    headers: Iterable[tuple[str, str]] = (("Content-Type", "application/json"),)

    def sent(self, person: Person, method: str, path: str, *more: tuple[str, str]) -> httpx.Response:
        """As ``person``, who hangs up then."""
        url = urlsplit(str(person.api.base_url))
        told = [*self.headers, *more, ("Connection", "close"), ("Authorization", f"Bearer {person.token('api')}")]
        if not {"content-length", "transfer-encoding"} & {name.lower() for name, _ in told}:
            told.append(("Content-Length", str(len(self.body))))
        lines = [f"{method} {path} HTTP/1.1", f"Host: {url.netloc}", *(f"{name}: {value}" for name, value in told)]
        with socket.create_connection((url.hostname or "", url.port or 80), timeout=ANSWERS_IN_S) as connection:
            connection.sendall("\r\n".join([*lines, "", ""]).encode("latin-1") + self.body)
            return _read(connection)


def chunked(body: bytes) -> bytes:
    """In chunks of one byte."""
    return b"".join(b"1\r\n%c\r\n" % each for each in body) + b"0\r\n\r\n"


def _read(connection: socket.socket) -> httpx.Response:
    answer: Any = HTTPResponse(connection)
    answer.begin()
    return httpx.Response(answer.status, headers=answer.getheaders(), content=answer.read())
