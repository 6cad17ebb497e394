"""A route that reads strictly: a bounded body, declared as JSON and I-JSON in fact; a query it knows; headers once."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute

from services.api import query, repeated
from services.shared import bodies, strict_json
from services.shared.problems import Malformed, TooLarge, UnsupportedMediaType

LONGEST_BODY = 256 * 1024
"""Bytes. The longest valid body is half of it: a ticket with all its text as escaped surrogate pairs."""


class _StrictRequest(Request):
    async def body(self) -> bytes:
        if not hasattr(self, "_body"):
            try:
                self._body = await bodies.read(self, longest=LONGEST_BODY)
            except bodies.TooLong:
                raise _too_large() from None
        return self._body

    async def json(self) -> object:
        try:
            return strict_json.loads(await self.body())
        except ValueError as error:
            raise Malformed(f"The body is not JSON as this service reads it: {error}.") from None


class StrictRoute(APIRoute):
    """Refuses media types (415), long bodies (413), ambiguous JSON (400), queries and doubled headers (422) before all.

    So a request that is wrong in itself is told so, whoever sends it: that is public, and costs no look at a token.
    Only who brings none is told that first (RFC 6750 §3.1): a token in the query is not looked at, so one is missing.
    FastAPI could limit the length by itself, but answers in plain text, and without the headers of CORS.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """FastAPI's handler, with a request that reads strictly."""
        handle = super().get_route_handler()
        takes_body = self.body_field is not None
        parameters, single = query.parameters(self.dependant), repeated.single(self.dependant)

        async def handle_strictly(request: Request) -> Response:
            if "Authorization" in request.headers:
                query.check(request, parameters)
                repeated.check(request, single)
            if takes_body:
                if int(request.headers.get("Content-Length", "0")) > LONGEST_BODY:
                    raise _too_large()
                _check_media_type(request)
            return await handle(_StrictRequest(request.scope, request.receive))

        return handle_strictly


def _too_large() -> TooLarge:
    return TooLarge(f"The body may have {LONGEST_BODY} bytes at most.")


def _check_media_type(request: Request) -> None:
    if len(request.headers.getlist("Content-Type")) > 1 or bodies.media_type(request.headers) != "application/json":
        raise UnsupportedMediaType("Send the body as application/json.")
    if "Content-Encoding" in request.headers:  # RFC 9110 §8.4
        raise UnsupportedMediaType(
            "Send the body as it is, without a content coding.", headers={"Accept-Encoding": "identity"}
        )
