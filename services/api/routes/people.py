"""Who the caller is, and who else is in the organization."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from services.api import paging
from services.api.dependencies import OrganizationsClient
from services.api.strict_route import StrictRoute
from services.api.views import Me, MemberPage, MemberQuery
from services.shared.problems import NotFound, problems

router = APIRouter(prefix="/api", tags=["people"], route_class=StrictRoute)


@router.get("/me")
async def get_me(organizations: OrganizationsClient) -> Me:
    """The caller, with role and organization."""
    return await organizations.whoami()


@router.get("/members", responses={200: paging.LINKED, **problems(NotFound)})
async def list_members(
    asked: Annotated[MemberQuery, Query()], organizations: OrganizationsClient, request: Request, response: Response
) -> MemberPage:
    """Members of the caller's organization."""
    page = await organizations.members(asked)
    paging.link(request, response, page.next_cursor)
    return page
