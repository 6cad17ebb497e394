"""The resources: what a client may read into a conversation without a tool call."""

from __future__ import annotations

from services.organizations.tools import Desk
from services.organizations.views import OrganizationView
from services.shared.mcp.resource import resource


@resource("org://current", scope="orgs:read", title="Organization")
def organization(desk: Desk) -> OrganizationView:
    """The organization the caller's token is about."""
    return OrganizationView.of(desk.whoami().organization)


RESOURCES = (organization,)
