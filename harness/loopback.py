"""One HTTP request on a raw connection to a port of this machine: the supervisor loads no HTTP library for it."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Mapping


async def connect(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection to whoever listens on ``port`` of 127.0.0.1, else of ::1, which some servers take for localhost."""
    try:
        return await asyncio.open_connection("127.0.0.1", port)
    except ConnectionRefusedError as refused:
        try:
            return await asyncio.open_connection("::1", port)
        except OSError as error:
            raise refused if error.errno == errno.EADDRNOTAVAIL else error from None


async def request(
    port: int, method: str, path: str, *, headers: Mapping[str, str] | None = None, within: float
) -> tuple[int, bytes]:
    """Status and body of the answer of whoever listens on ``port`` of this machine, ``within`` so many seconds.

    Raises:
        OSError: nobody listens, the connection broke, or the answer is no HTTP; TimeoutError is one of them.
    """
    lines = [f"{method} {path} HTTP/1.1", f"Host: localhost:{port}", "Connection: close", "Content-Length: 0"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    async with asyncio.timeout(within):
        reader, writer = await connect(port)
        try:
            writer.write("\r\n".join([*lines, "", ""]).encode())
            head, _, body = (await reader.read()).partition(b"\r\n\r\n")
        finally:
            writer.close()
    protocol, _, rest = head.partition(b" ")
    if not protocol.startswith(b"HTTP/") or not rest[:3].isdigit():
        raise ConnectionError(f"no HTTP answer: {head[:60]!r}")
    return int(rest[:3]), body
