"""A route that reads its body strictly: declared as JSON, and I-JSON in fact."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute

from services.shared import strict_json
from services.shared.problems import Malformed, UnsupportedMediaType


class _StrictRequest(Request):
    async def json(self) -> object:
        try:
            return strict_json.loads(await self.body())
        except ValueError as error:
            raise Malformed(f"The body is not JSON as this service reads it: {error}.") from None


class StrictRoute(APIRoute):
    """Refuses other media types (415) and ambiguous JSON (400) before anything looks at the content."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """FastAPI's handler, with a request that parses strictly."""
        handle = super().get_route_handler()
        takes_body = self.body_field is not None

        async def handle_strictly(request: Request) -> Response:
            if takes_body and _media_type(request) != "application/json":
                raise UnsupportedMediaType("Send the body as application/json.")
            return await handle(_StrictRequest(request.scope, request.receive))

        return handle_strictly


def _media_type(request: Request) -> str:
    return request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
