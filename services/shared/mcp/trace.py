"""The trace a request belongs to: W3C Trace Context, as MCP's ``_meta`` carries it or as HTTP does."""

from __future__ import annotations

import re

from fastmcp.server.dependencies import fastmcp_request_ctx

_TRACEPARENT = re.compile(
    r"(?!ff|00.{53}-)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?"
)
"""https://www.w3.org/TR/trace-context/#traceparent-header-field-values; versions after 00 may add to the end."""


def current_trace_id() -> str | None:
    """The trace id of this request; what its message says goes before what a hop of HTTP says."""
    request = fastmcp_request_ctx.get()
    if request is None:
        return None
    told = (request.meta or {}).get("traceparent")
    header = None if request.request is None else request.request.headers.get("traceparent")
    return _trace_id(told) or _trace_id(header)


def _trace_id(traceparent: object) -> str | None:
    found = _TRACEPARENT.fullmatch(traceparent) if isinstance(traceparent, str) else None
    return None if found is None else found[1]
