"""Is a service up, and is it ours? One HTTP request on a raw connection: the supervisor loads no HTTP library."""

from __future__ import annotations

import asyncio
import json

from harness.lifecycle import Answered

ANSWER_TIMEOUT_S = 2.0


async def ask(port: int, path: str, nonce: str) -> Answered:
    """Request the health path on 127.0.0.1; says whether the answer is 200 and carries the stack's nonce.

    A connection to a listening socket waits in its queue until the service accepts it, so the answer to the first
    request usually is the moment of readiness itself.
    """
    try:
        async with asyncio.timeout(ANSWER_TIMEOUT_S):
            head, body = await _get(port, path)
    except TimeoutError:
        return Answered(ours=False, answer=f"no answer within {ANSWER_TIMEOUT_S:g} s")
    except (OSError, asyncio.IncompleteReadError) as error:
        return Answered(ours=False, answer=f"{type(error).__name__}: {error}")
    status = head.split("\r\n", 1)[0]
    if " 200 " not in f"{status} ":
        return Answered(ours=False, answer=status or "an empty answer")
    try:
        instance = json.loads(body).get("instance")
    except (ValueError, AttributeError):
        return Answered(ours=False, answer=f"200 with a body that is no health answer: {body[:80]!r}")
    if instance != nonce:
        return Answered(ours=False, answer=f"200 from another instance: {instance!r}")
    return Answered(ours=True, answer="200 ok")


async def _get(port: int, path: str) -> tuple[str, bytes]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: close\r\n\r\n".encode())
        head, _, body = (await reader.read()).partition(b"\r\n\r\n")
    finally:
        writer.close()
    return head.decode("latin-1"), body
