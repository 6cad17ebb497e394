"""Is a service up, and is it ours?"""

from __future__ import annotations

import asyncio
import json

from harness import loopback
from harness.lifecycle import Answered
from harness.topology import TCP

ANSWER_TIMEOUT_S = 2.0
HEALTHY = 200
SUCCESSES = range(200, 300)


async def ask(port: int, path: str, nonce: str | None) -> Answered:
    """Request the health path; says whether the answer is 200 and carries the stack's nonce.

    Without a ``nonce`` any 2xx will do, and for the path ``tcp`` a connection.

    A connection to a listening socket waits in its queue until the service accepts it, so the answer to the first
    request usually is the moment of readiness itself.
    """
    try:
        if path == TCP:
            async with asyncio.timeout(ANSWER_TIMEOUT_S):
                (await loopback.connect(port))[1].close()
            return Answered(ours=True, answer="accepts connections")
        status, body = await loopback.request(port, "GET", path, within=ANSWER_TIMEOUT_S)
    except TimeoutError:
        return Answered(ours=False, answer=f"no answer within {ANSWER_TIMEOUT_S:g} s")
    except OSError as error:
        return Answered(ours=False, answer=f"{type(error).__name__}: {error}")
    if status != HEALTHY or nonce is None:
        return Answered(ours=nonce is None and status in SUCCESSES, answer=f"status {status}")
    return _identified(body, nonce)


def _identified(body: bytes, nonce: str) -> Answered:
    try:
        instance = json.loads(body).get("instance")
    except (ValueError, AttributeError):
        return Answered(ours=False, answer=f"200 with a body that is no health answer: {body[:80]!r}")
    if instance != nonce:
        return Answered(ours=False, answer=f"200 from another instance: {instance!r}")
    return Answered(ours=True, answer="200 ok")
