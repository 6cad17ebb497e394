"""One HTTP request on a raw connection to a port of this machine: the supervisor loads no HTTP library for it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping


async def request(
    port: int, method: str, path: str, *, headers: Mapping[str, str] | None = None, within: float
) -> tuple[int, bytes]:
    """Status and body of the answer of whoever listens on ``port`` of 127.0.0.1, ``within`` so many seconds.

    Raises:
        OSError: nobody listens, the connection broke, or the answer is no HTTP; TimeoutError is one of them.
    """
    lines = [f"{method} {path} HTTP/1.1", f"Host: localhost:{port}", "Connection: close", "Content-Length: 0"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    async with asyncio.timeout(within):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            writer.write("\r\n".join([*lines, "", ""]).encode())
            head, _, body = (await reader.read()).partition(b"\r\n\r\n")
        finally:
            writer.close()
    protocol, _, rest = head.partition(b" ")
    if not protocol.startswith(b"HTTP/") or not rest[:3].isdigit():
        raise ConnectionError(f"no HTTP answer: {head[:60]!r}")
    return int(rest[:3]), body
