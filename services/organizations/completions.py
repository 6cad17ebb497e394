"""The completions: what somebody may mean who has begun to type."""

from __future__ import annotations

from services.organizations.arguments import Desk
from services.organizations.roles import ROLES
from services.shared.mcp.completion import completes

MOST = 100
"""As many as MCP lets a server tell at once."""


@completes("email", scope="orgs:read")
def emails(desk: Desk, started: str) -> list[str]:
    """Addresses of members."""
    return list(desk.members.emails_from(started, limit=MOST))


@completes("id", scope="orgs:read")
def team_ids(desk: Desk, started: str) -> list[str]:
    """Ids of teams, also by the beginning of the name."""
    return list(desk.teams.ids_from(started, limit=MOST))


@completes("role", scope="orgs:read")
def roles(_desk: Desk, started: str) -> list[str]:
    """Roles, the most powerful first."""
    return [role for role in ROLES if role.startswith(started.casefold())]


COMPLETIONS = (emails, team_ids, roles)
