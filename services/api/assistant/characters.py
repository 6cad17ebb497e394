"""Text of models, which may be none: half of a surrogate pair is no character, and cannot be sent or stored."""

from __future__ import annotations


def well_formed(text: str) -> str:
    """``text`` with U+FFFD in place of each half of a surrogate pair; two halves that belong together become one."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
