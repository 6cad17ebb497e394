"""``GET /healthz``: is this server up, and is it the one you started?"""

from __future__ import annotations

from starlette.responses import JSONResponse


def healthy(service: str, nonce: str) -> JSONResponse:
    """The answer every service gives once its lifespan has started."""
    body = {"status": "ok", "service": service, "instance": nonce}
    return JSONResponse(body, headers={"Cache-Control": "no-store"})
