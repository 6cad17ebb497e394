"""Which methods a path has: the framework alone would tell those of the first route that matches it."""

from __future__ import annotations

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from starlette.requests import Request
from starlette.routing import Match


def allowed(request: Request) -> str:
    """The value of ``Allow`` (RFC 9110 §10.2.1): methods of all routes on this path."""
    app: FastAPI = request.app
    methods: set[str] = set()
    for context in iter_route_contexts(app.routes):
        if context.matches(request.scope)[0] is not Match.NONE:
            methods.update(getattr(context.original_route, "methods", None) or ())
    return ", ".join(sorted(methods))
