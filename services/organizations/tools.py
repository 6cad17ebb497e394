"""The tools. Signature and docstring are the contract a model reads; the work is done at the desk."""

from __future__ import annotations

from typing import Annotated

from fastmcp.dependencies import Depends
from pydantic import Field

from services.organizations.desk import OrganizationDesk
from services.organizations.repository import Wanted
from services.organizations.views import MemberPageView, MeView
from services.shared.mcp.arguments import Cursor, Limit, SearchText
from services.shared.mcp.tool import READ, desk, tool

Desk = Annotated[OrganizationDesk, Depends(desk)]

Query = Annotated[SearchText | None, Field(description="Text to look for in name, username and email.")]


@tool(scope="orgs:read", hints=READ)
def whoami(desk: Desk) -> MeView:
    """Tell who the caller is: name, role, and the organization all other calls are about. Costs next to nothing."""
    return MeView.of_membership(desk.whoami())


@tool(scope="orgs:read", hints=READ)
def list_members(desk: Desk, *, query: Query = None, limit: Limit = 20, cursor: Cursor = None) -> MemberPageView:
    """List members of the caller's organization by name; a requester sees only themselves.

    Use it to turn the ids in tickets into names, or a name into an id. To go on, repeat the call with the same query
    and with cursor.
    """
    return MemberPageView.of(desk.list_members(Wanted(query), limit=limit, cursor=cursor))


TOOLS = (whoami, list_members)
