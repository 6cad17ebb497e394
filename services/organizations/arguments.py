"""Arguments of the tools, resources and prompts."""

from __future__ import annotations

from typing import Annotated

from fastmcp.dependencies import Depends
from pydantic import Field

from services.organizations.desk import OrganizationDesk
from services.organizations.membership import Status
from services.organizations.roles import Role
from services.shared.mcp.arguments import SearchText
from services.shared.mcp.desk import desk

Desk = Annotated[OrganizationDesk, Depends(desk)]

MemberId = Annotated[str, Field(min_length=1, max_length=64, description="The member's id, from list_members.")]
TeamId = Annotated[str, Field(min_length=1, max_length=64, description="The team's id, from list_teams.")]
Address = Annotated[
    str,
    Field(max_length=254, pattern=r"^[^\s@\x00-\x1f\x7f]+@[^\s@\x00-\x1f\x7f]+$", description="An e-mail address."),
]
NewRole = Annotated[Role, Field(description="owner may do all; admin all but owners; agent and viewer see everybody.")]
WantedRole = Annotated[Role | None, Field(description="Only members with this role.")]
WantedStatus = Annotated[
    Status | None, Field(description="Only members like that: active, invited (not accepted yet), inactive.")
]
Version = Annotated[int, Field(ge=1, le=2**31, description="The member's version as it was read.")]
Query = Annotated[SearchText | None, Field(description="Text to look for in name, username and email.")]
TeamName = Annotated[
    str, Field(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]*\S[^\x00-\x1f\x7f]*$", description="Its name.")
]
