"""Who serves a request: the desk a deployment lends for its caller."""

from __future__ import annotations

from typing import Any

from fastmcp.server.dependencies import get_context

from services.shared.mcp.authorization import current_caller


def desk() -> Any:
    """The desk that serves the caller of this request; a tool asks for it with ``Depends``."""
    return get_context().lifespan_context["desk_for"](current_caller())
