"""The tools. Signature and docstring are the contract a model reads; the work is done at the desk."""

from __future__ import annotations

from typing import Annotated

from fastmcp.dependencies import Depends
from pydantic import Field

from services.organizations.desk import OrganizationDesk
from services.organizations.repository import Wanted
from services.organizations.roles import Role
from services.organizations.views import MemberPageView, MeView, VersionedMemberView
from services.shared.mcp.arguments import Cursor, Limit, SearchText
from services.shared.mcp.tool import OVERWRITE, READ, desk, tool

Desk = Annotated[OrganizationDesk, Depends(desk)]

MemberId = Annotated[str, Field(min_length=1, max_length=64, description="The member's id, from list_members.")]
NewRole = Annotated[Role, Field(description="owner may do all; admin all but owners; agent and viewer see everybody.")]
Version = Annotated[int, Field(ge=1, le=2**31, description="The member's version as it was read.")]
Query = Annotated[SearchText | None, Field(description="Text to look for in name, username and email.")]


@tool(scope="orgs:read", hints=READ, title="Who am I")
def whoami(desk: Desk) -> MeView:
    """Tell who the caller is: name, role, and the organization all other calls are about. Costs next to nothing."""
    return MeView.of_membership(desk.whoami())


@tool(scope="orgs:read", hints=READ, title="List members")
def list_members(desk: Desk, *, query: Query = None, limit: Limit = 20, cursor: Cursor = None) -> MemberPageView:
    """List members of the caller's organization by name; a requester sees only themselves.

    Use it to turn the ids in tickets into names, or a name into an id. To go on, repeat the call with the same query
    and with cursor.
    """
    return MemberPageView.of(desk.list_members(Wanted(query), limit=limit, cursor=cursor))


@tool(scope="orgs:write", hints=OVERWRITE, title="Change a member's role")
def update_member_role(
    desk: Desk, user_id: MemberId, *, role: NewRole, expected_version: Version
) -> VersionedMemberView:
    """Give a member of the caller's organization another role. Only for admins and owners; owners only by owners.

    Take id and version from list_members. The member's next token carries the role; one they hold keeps the old role
    until it expires. conflict: somebody changed the member since (read again), or it is the last owner. unavailable:
    the identity provider did not confirm it, so it was not stored; repeat the same call, which puts both in step.
    """
    return VersionedMemberView.of(desk.update_member_role(user_id, role, expected_version=expected_version))


TOOLS = (whoami, list_members, update_member_role)
