"""The completions: what somebody may mean who has begun to type."""

from __future__ import annotations

from services.shared.mcp.completion import completes
from services.ticketing.repository import Wanted
from services.ticketing.tools import Desk

MOST = 100
"""As many as MCP lets a server tell at once."""


@completes("key", scope="tickets:read")
def keys(desk: Desk, started: str) -> list[str]:
    """Keys of tickets, the last changed first, that begin so or have it in their text."""
    found = desk.search(Wanted(started or None), limit=MOST, cursor=None).page.items
    return [ticket.key for ticket in found]


COMPLETIONS = (keys,)
