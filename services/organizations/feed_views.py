"""What is told of changes."""

from __future__ import annotations

from typing import Annotated

from pydantic import AwareDatetime, Field

from services.organizations.events import Event
from services.organizations.roles import Role
from services.organizations.tables import FeedEntry
from services.shared.feed import Part
from services.shared.mcp.feed import Marked, More, Position
from services.shared.mcp.view import View


class ChangeView(View):
    """One accepted write."""

    position: Annotated[int, Field(description="Counts from 1 in the organization.")]
    id: str
    at: AwareDatetime
    type: Event
    member_id: Annotated[str | None, Field(description="Of whom it tells; in a team's, who came or went.")]
    team_id: Annotated[str | None, Field(description="The team, where it tells of one.")]
    role: Annotated[Role | None, Field(description="The member's from then on; null in what tells of a team.")]
    version: Annotated[int, Field(description="The version that the team, or else the member, had with it.")]
    actor_id: Annotated[str, Field(description="The person who did it.")]
    client_id: Annotated[str | None, Field(description="The application they used.")]
    acting_id: Annotated[str | None, Field(description="The service that spoke for them, if one did.")]
    trace_id: str | None

    @classmethod
    def of(cls, entry: FeedEntry) -> ChangeView:
        """The change as it is told."""
        return cls(
            **entry.told,
            type=entry.type,
            member_id=entry.member_id,
            team_id=entry.team_id,
            role=entry.role,
            version=entry.version,
        )


class FeedView(View):
    """Changes, the oldest first."""

    items: list[ChangeView]
    position: Position
    mark: Marked
    more: More

    @classmethod
    def of(cls, part: Part[FeedEntry]) -> FeedView:
        """A part of the feed as it is told."""
        items = [ChangeView.of(entry) for entry in part.entries]
        return cls(items=items, position=part.position, mark=part.mark, more=part.more)
