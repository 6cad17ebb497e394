"""What is told of changes."""

from __future__ import annotations

from typing import Annotated

from pydantic import AwareDatetime, Field
from pydantic.alias_generators import to_camel

from services.shared.mcp.feed import Marked, More, Position
from services.shared.mcp.view import View
from services.ticketing.history import FeedType, Value, Visibility
from services.ticketing.tables import FeedEntry


class FieldChangeView(View):
    """One field, as it was and as it became."""

    field: str
    before: Annotated[Value, Field(description="null, too, for what people said: title, description, …")]
    after: Value


class TicketChangeView(View):
    """One accepted write."""

    position: Annotated[int, Field(description="Counts from 1 in the organization.")]
    id: str
    at: AwareDatetime
    type: FeedType
    key: str
    ticket_id: str
    version: Annotated[int, Field(description="The ticket's version with it; get_ticket tells how it stands now.")]
    actor_id: Annotated[str, Field(description="The person.")]
    client_id: Annotated[str | None, Field(description="The application they used.")]
    acting_id: Annotated[str | None, Field(description="The service that spoke for them, if one did.")]
    trace_id: str | None
    visibility: Annotated[Visibility | None, Field(description="For whom the comment is that came with it.")]
    changes: list[FieldChangeView]

    @classmethod
    def of(cls, row: FeedEntry) -> TicketChangeView:
        """The change as it is told."""
        return cls(
            **row.told,
            type=row.type,
            key=row.key,
            ticket_id=row.ticket_id,
            version=row.version,
            visibility=row.visibility,
            changes=[FieldChangeView(**{**each, "field": to_camel(each["field"])}) for each in row.changes],
        )


class FeedView(View):
    """Changes, the oldest first."""

    items: list[TicketChangeView]
    position: Position
    mark: Marked
    more: More
