"""The trace a request belongs to: W3C Trace Context, as MCP's ``_meta`` carries it or as HTTP does."""

from __future__ import annotations

from fastmcp.server.dependencies import fastmcp_request_ctx

from services.shared import traceparent


def current_trace_id() -> str | None:
    """The trace id of this request; what its message says goes before what a hop of HTTP says."""
    request = fastmcp_request_ctx.get()
    if request is None:
        return None
    told = (request.meta or {}).get("traceparent")
    header = None if request.request is None else request.request.headers.get("traceparent")
    found = traceparent.parsed(told) or traceparent.parsed(header)
    return None if found is None else found[0]
