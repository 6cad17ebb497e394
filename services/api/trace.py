"""The trace a request belongs to (W3C Trace Context): taken from the caller, begun here otherwise, and passed on."""

from __future__ import annotations

import hashlib
import secrets
from contextvars import ContextVar

from opentelemetry import context
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, set_span_in_context
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from services.shared import traceparent

_current: ContextVar[str | None] = ContextVar("traceparent", default=None)


class Traced:
    """Gives each request a step of its own in its trace. A header that breaks the rules counts as none (§3.2.2.3)."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).getlist("traceparent")
        found = traceparent.parsed(given[0]) if len(given) == 1 else None
        trace_id, flags = found or (secrets.token_hex(16), "00")
        step = secrets.token_hex(8)
        marked = _current.set(f"00-{trace_id}-{step}-{flags}")
        # FastMCP's client writes OpenTelemetry's context into every message.
        span = SpanContext(int(trace_id, 16), int(step, 16), is_remote=False, trace_flags=TraceFlags(int(flags, 16)))
        attached = context.attach(set_span_in_context(NonRecordingSpan(span)))
        try:
            await self._app(scope, receive, send)
        finally:
            context.detach(attached)
            _current.reset(marked)


def headers() -> dict[str, str]:
    """What to send with a request that is made on behalf of this one."""
    current = _current.get()
    return {} if current is None else {"traceparent": current}


def step(trace_id: str, name: str) -> str:
    """A ``traceparent`` for what bears that name in the trace: the same each time it is told."""
    return f"00-{trace_id}-{hashlib.sha256(name.encode()).hexdigest()[:16]}-00"
