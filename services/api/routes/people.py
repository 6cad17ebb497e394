"""Who the caller is, and who else is in the organization."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from services.api.dependencies import OrganizationsClient
from services.api.views import Me, MemberPage, MemberQuery
from services.shared.problems import Invalid, NotFound, problems

router = APIRouter(prefix="/api", tags=["people"])


@router.get("/me")
async def get_me(organizations: OrganizationsClient) -> Me:
    """The caller, with role and organization."""
    return await organizations.whoami()


@router.get("/members", responses=problems(NotFound, Invalid))
async def list_members(asked: Annotated[MemberQuery, Query()], organizations: OrganizationsClient) -> MemberPage:
    """Members of the caller's organization."""
    return await organizations.members(asked)
