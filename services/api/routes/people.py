"""Who the caller is, who else is in the organization, and which organizations there are for the caller."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from services.api import conditions, paging
from services.api.conditions import IfMatch, IfNoneMatch
from services.api.dependencies import OrganizationsClient
from services.api.idempotency import IdempotencyKey
from services.api.people_views import (
    Me,
    Member,
    MemberChange,
    MemberInvite,
    MemberPage,
    MemberQuery,
    Memberships,
    OrganizationOverview,
)
from services.api.routes import described
from services.api.strict_route import StrictRoute
from services.shared.problems import Conflict, NotFound, problems

router = APIRouter(prefix="/api", tags=["people"], route_class=StrictRoute)

MemberId = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{1,64}$", description="As in `id`, `reporterId`, `assigneeId`.")]

_TO_THE_FIRST = {
    "links": {
        "switchOrganization": {
            "operationId": "switchOrganization",
            "requestBody": {"organizationId": "$response.body#/items/0/organization/id"},
        }
    }
}
_OF_THEM = described.links("id", "$response.body#/id", "getMember", "updateMember", "deactivateMember")


@router.get("/me", responses=problems(NotFound))
async def get_me(organizations: OrganizationsClient) -> Me:
    """The caller, with role and organization."""
    return await organizations.whoami()


@router.get("/organizations", responses={200: _TO_THE_FIRST, **problems(NotFound)})
async def list_organizations(organizations: OrganizationsClient) -> Memberships:
    """The organizations the caller is in or invited to. To work in another: `POST /api/session/organization`."""
    return await organizations.mine()


@router.get("/organizations/current", responses=problems(NotFound))
async def get_organization(organizations: OrganizationsClient) -> OrganizationOverview:
    """The organization the caller's token is about."""
    return await organizations.current()


@router.post("/organizations/current/acceptance", responses={**described.VERSIONED, **problems(NotFound, Conflict)})
async def accept_invitation(organizations: OrganizationsClient, response: Response) -> Member:
    """Accept the caller's invitation to the organization of their token. Who is a member already stays one."""
    member = await organizations.accept()
    response.headers["ETag"] = conditions.tag(member.version)
    return member


@router.get("/members", responses={200: paging.LINKED, **problems(NotFound)})
async def list_members(
    asked: Annotated[MemberQuery, Query()], organizations: OrganizationsClient, request: Request, response: Response
) -> MemberPage:
    """Members of the caller's organization by name, also those who are invited or were deactivated."""
    page = await organizations.members(asked)
    paging.link(request, response, page.next_cursor)
    return page


@router.post("/members", status_code=201, responses=described.linked(described.CREATED, 201, _OF_THEM))
async def invite_member(
    body: MemberInvite, organizations: OrganizationsClient, response: Response, key: IdempotencyKey = None
) -> Member:
    """Ask somebody to join, for a week. Also renews an invitation, and asks back who was deactivated."""
    member = await organizations.invite(body, key=key)
    response.headers["Location"] = f"{router.prefix}/members/{member.id}"
    response.headers["ETag"] = conditions.tag(member.version)
    return member


@router.get("/members/{id}", response_model=Member, responses=described.READ)
async def get_member(
    id: MemberId,  # noqa: A002 - the name on the wire
    organizations: OrganizationsClient,
    response: Response,
    known: IfNoneMatch = None,
) -> Member | Response:
    """One member."""
    member = await organizations.member(id)
    return conditions.answer(response, member.version, known) or member


@router.patch("/members/{id}", responses=described.CHANGED)
async def update_member(
    id: MemberId,  # noqa: A002 - the name on the wire
    body: MemberChange,
    organizations: OrganizationsClient,
    match: IfMatch,
    response: Response,
) -> Member:
    """Give a member another role, which their next token carries. Only for admins and owners; owners only by owners."""
    member = await organizations.change_role(id, body.role, expected_version=match.version)
    response.headers["ETag"] = conditions.tag(member.version)
    return member


@router.post("/members/{id}/deactivation", responses={**described.VERSIONED, **problems(NotFound, Conflict)})
async def deactivate_member(
    id: MemberId,  # noqa: A002 - the name on the wire
    organizations: OrganizationsClient,
    response: Response,
) -> Member:
    """End a membership: the person is signed out everywhere, and still named in what they did."""
    member = await organizations.deactivate(id)
    response.headers["ETag"] = conditions.tag(member.version)
    return member
