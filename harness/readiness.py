"""Is a service up, and is it ours?"""

from __future__ import annotations

import json

from harness import loopback
from harness.lifecycle import Answered

ANSWER_TIMEOUT_S = 2.0
HEALTHY = 200


async def ask(port: int, path: str, nonce: str) -> Answered:
    """Request the health path on 127.0.0.1; says whether the answer is 200 and carries the stack's nonce.

    A connection to a listening socket waits in its queue until the service accepts it, so the answer to the first
    request usually is the moment of readiness itself.
    """
    try:
        status, body = await loopback.request(port, "GET", path, within=ANSWER_TIMEOUT_S)
    except TimeoutError:
        return Answered(ours=False, answer=f"no answer within {ANSWER_TIMEOUT_S:g} s")
    except OSError as error:
        return Answered(ours=False, answer=f"{type(error).__name__}: {error}")
    if status != HEALTHY:
        return Answered(ours=False, answer=f"status {status}")
    try:
        instance = json.loads(body).get("instance")
    except (ValueError, AttributeError):
        return Answered(ours=False, answer=f"200 with a body that is no health answer: {body[:80]!r}")
    if instance != nonce:
        return Answered(ours=False, answer=f"200 from another instance: {instance!r}")
    return Answered(ours=True, answer="200 ok")
