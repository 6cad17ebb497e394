"""Which organization the caller works in."""

from __future__ import annotations

from fastapi import APIRouter

from services.api.dependencies import SessionOfCaller
from services.api.routes import described
from services.api.session_views import OrganizationChoice, SwitchedSession
from services.api.strict_route import StrictRoute
from services.shared.problems import NotFound, problems

router = APIRouter(prefix="/api/session", tags=["people"], route_class=StrictRoute)


@router.post("/organization", responses={**described.BODY, **problems(NotFound)})
async def switch_organization(body: OrganizationChoice, session: SessionOfCaller) -> SwitchedSession:
    """Get a token about another of the caller's organizations, as the same person and with the same scopes.

    The token it is asked with stays good. Once the new one has expired, sign in with the parameter `organization`.
    """
    return await session.switch(body.organization_id)
