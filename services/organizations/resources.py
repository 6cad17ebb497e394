"""The resources: what a client may read into a conversation without a tool call."""

from __future__ import annotations

from services.organizations.arguments import Desk, TeamId
from services.organizations.views import OverviewView, RolesView, TeamView
from services.shared.mcp.resource import resource


@resource("org://current", scope="orgs:read", title="Organization")
def organization(desk: Desk) -> OverviewView:
    """The organization the caller's token is about, and how much of it the caller sees."""
    return OverviewView.of_overview(desk.organization())


@resource("org://roles", scope="orgs:read", title="Roles")
def roles(_desk: Desk) -> RolesView:
    """The roles a member may have, and what each may do; the same in every organization."""
    return RolesView.all()


@resource("team://{id}", scope="orgs:read", title="Team")
def team(desk: Desk, id: TeamId) -> TeamView:  # noqa: A002 - its name in the template
    """A team and those in it. Names are what users wrote."""
    return desk.teams.get(id)


RESOURCES = (organization, roles, team)
