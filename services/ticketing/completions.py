"""The completions: what somebody may mean who has begun to type."""

from __future__ import annotations

from services.shared.mcp.completion import completes
from services.ticketing.arguments import Desk
from services.ticketing.prompts import TONES

MOST = 100
"""As many as MCP lets a server tell at once."""


@completes("key", scope="tickets:read")
def keys(desk: Desk, started: str) -> list[str]:
    """Keys of tickets that begin so, the last changed first."""
    return desk.keys(started, limit=MOST)


@completes("tone", scope="tickets:read")
def tones(_desk: Desk, started: str) -> list[str]:
    """Ways a reply can sound."""
    return [tone for tone in TONES if tone.startswith(started.casefold())]


COMPLETIONS = (keys, tones)
