"""Teams of the caller's organization."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from services.api import conditions, paging
from services.api.conditions import IfNoneMatch
from services.api.dependencies import OrganizationsClient
from services.api.idempotency import IdempotencyKey
from services.api.people_views import Team, TeamCreate, TeamPage
from services.api.routes import described
from services.api.routes.people import MemberId
from services.api.strict_route import StrictRoute
from services.api.views import PageQuery
from services.shared.problems import Conflict, NotFound, problems

router = APIRouter(prefix="/api/teams", tags=["people"], route_class=StrictRoute)

TeamId = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{1,64}$", description="As in `id`, `teamId`.")]

_OF_IT = described.links("id", "$response.body#/id", "getTeam", "addTeamMember", "removeTeamMember")


@router.get("", responses={200: paging.LINKED, **problems(NotFound)})
async def list_teams(
    asked: Annotated[PageQuery, Query()], organizations: OrganizationsClient, request: Request, response: Response
) -> TeamPage:
    """Teams by name; a requester sees those they are in."""
    page = await organizations.teams(asked)
    paging.link(request, response, page.next_cursor)
    return page


@router.post("", status_code=201, responses=described.linked(described.CREATED, 201, _OF_IT))
async def create_team(
    body: TeamCreate, organizations: OrganizationsClient, response: Response, key: IdempotencyKey = None
) -> Team:
    """Create a team without members. Only for admins and owners."""
    team = await organizations.create_team(body, key=key)
    response.headers["Location"] = f"{router.prefix}/{team.id}"
    response.headers["ETag"] = conditions.tag(team.version)
    return team


@router.get("/{id}", response_model=Team, responses=described.READ)
async def get_team(
    id: TeamId,  # noqa: A002 - the name on the wire
    organizations: OrganizationsClient,
    response: Response,
    known: IfNoneMatch = None,
) -> Team | Response:
    """A team and who is in it."""
    team = await organizations.team(id)
    return conditions.answer(response, team.version, known) or team


@router.put("/{id}/members/{member_id}", responses={**described.VERSIONED, **problems(NotFound, Conflict)})
async def add_team_member(
    id: TeamId,  # noqa: A002 - the name on the wire
    member_id: MemberId,
    organizations: OrganizationsClient,
    response: Response,
) -> Team:
    """Put somebody into a team; who is in it already stays. Only for admins and owners."""
    team = await organizations.add_to_team(id, member_id)
    response.headers["ETag"] = conditions.tag(team.version)
    return team


@router.delete("/{id}/members/{member_id}", status_code=204, responses=problems(NotFound))
async def remove_team_member(
    id: TeamId,  # noqa: A002 - the name on the wire
    member_id: MemberId,
    organizations: OrganizationsClient,
) -> None:
    """Take somebody out of a team; they stay in the organization. Who is not in it stays out."""
    await organizations.remove_from_team(id, member_id)
