"""The header ``traceparent`` of W3C Trace Context, which names the trace that a request belongs to."""

from __future__ import annotations

import re

_WRITTEN = re.compile(r"(?!ff|00.{53}-)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-([0-9a-f]{2})(?:-.*)?")
"""https://www.w3.org/TR/trace-context/#traceparent-header-field-values; versions after 00 may add to the end."""


def parsed(value: object) -> tuple[str, str] | None:
    """The trace id and the flags, both in hexadecimal. What breaks the rules counts as no header (§3.2.2.3)."""
    found = _WRITTEN.fullmatch(value) if isinstance(value, str) else None
    return None if found is None else (found[1], found[2])
