"""One place that turns errors into answers: whatever goes wrong, the body is an RFC 9457 problem."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.api.query import LONGEST_POINTER, MOST_FLAWS
from services.shared.methods import allowed
from services.shared.problems import Flaw, Invalid, Malformed, MethodNotAllowed, NotFound, ProblemError

logger = logging.getLogger(__name__)

_BY_STATUS: dict[int, type[ProblemError]] = {kind.status: kind for kind in (Malformed, NotFound)}


def install(app: FastAPI) -> None:
    """Let ``app`` answer with problems only."""
    app.add_exception_handler(ProblemError, _problem)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _from_framework)
    app.add_middleware(Unforeseen)


async def _problem(_: Request, error: Exception) -> Response:
    assert isinstance(error, ProblemError)  # noqa: S101 - Starlette's handlers are typed for any exception
    if error.status >= 500:  # noqa: PLR2004
        logger.warning("%s (%r)", error.detail, error.__cause__)
    return error.response()


async def _invalid(_: Request, error: Exception) -> Response:
    """422, without the rejected input: it may hold what JSON cannot carry, or a secret."""
    assert isinstance(error, RequestValidationError)  # noqa: S101
    flaws = [_flaw(told) for told in error.errors()[:MOST_FLAWS]]
    return Invalid("The request does not fit the schema.", errors=flaws).response()


def _flaw(told: Mapping[str, Any]) -> Flaw:
    detail = told["msg"]
    if told["type"] == "union_tag_invalid":  # the only sentence of pydantic's that quotes what was sent
        detail = f"{told['ctx']['discriminator']} is none of {told['ctx']['expected_tags']}."
    return Flaw(pointer=".".join(map(str, told["loc"]))[:LONGEST_POINTER], detail=detail)


async def _from_framework(request: Request, error: Exception) -> Response:
    """What Starlette and FastAPI themselves refuse: unknown paths, methods, bodies."""
    assert isinstance(error, HTTPException)  # noqa: S101
    if isinstance(error.__cause__, ProblemError):
        # FastAPI wraps whatever goes wrong while a body is read.
        return error.__cause__.response()
    if error.status_code == MethodNotAllowed.status:
        methods = allowed(request)
        return MethodNotAllowed(f"Allowed here: {methods}.", headers={"Allow": methods}).response()
    kind = _BY_STATUS.get(error.status_code, ProblemError)
    return kind(str(error.detail), headers=error.headers).response()


class Unforeseen:
    """500 for what no handler knows, and its traceback for the log; the caller learns nothing of the inside.

    Starlette's own handler for it stands outside all layers: its answer would lack their headers.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun = False

        async def noting(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, receive, noting)
        except Exception:
            if scope["type"] != "http" or begun:
                raise
            logger.exception("%s %s failed", scope["method"], scope["path"])
            await ProblemError("The api failed in a way nobody foresaw; its log says how.").response()(
                scope, receive, send
            )
