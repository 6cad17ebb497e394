"""What the tools answer with."""

from __future__ import annotations

from typing import Annotated

from pydantic import AwareDatetime, Field

from services.shared.mcp.view import NextCursor, Total, View
from services.ticketing import workflow
from services.ticketing.desk import Listing
from services.ticketing.tables import Ticket


class TicketView(View):
    """A ticket as it stands now."""

    id: str
    key: Annotated[str, Field(description="What people call it: ACME-12.")]
    title: str
    description: str
    type: workflow.TicketType
    status: workflow.Status
    status_category: workflow.StatusCategory
    priority: workflow.Priority
    reporter_id: Annotated[str, Field(description="The person who opened it; list_members tells the name.")]
    assignee_id: Annotated[str | None, Field(description="The person who works on it, if somebody does.")]
    labels: list[str]
    version: Annotated[int, Field(description="Grows by one with every change.")]
    created_at: AwareDatetime
    updated_at: AwareDatetime

    @classmethod
    def of(cls, ticket: Ticket) -> TicketView:
        """The ticket as it is shown."""
        return cls(
            id=ticket.id,
            key=ticket.key,
            title=ticket.title,
            description=ticket.description,
            type=ticket.type,
            status=ticket.status,
            status_category=workflow.category(ticket.status),
            priority=ticket.priority,
            reporter_id=ticket.reporter_id,
            assignee_id=ticket.assignee_id,
            labels=ticket.labels,
            version=ticket.version,
            created_at=ticket.created_at,
            updated_at=ticket.updated_at,
        )


class TicketPageView(View):
    """A page of tickets, the last changed first."""

    items: list[TicketView]
    next_cursor: NextCursor
    total: Total

    @classmethod
    def of(cls, listing: Listing) -> TicketPageView:
        """The page as it is shown."""
        return cls(
            items=[TicketView.of(ticket) for ticket in listing.page.items],
            next_cursor=listing.next_cursor,
            total=listing.page.total,
        )


class StatusView(View):
    """A status a ticket may have."""

    status: workflow.Status
    category: workflow.StatusCategory

    @classmethod
    def of(cls, status: workflow.Status) -> StatusView:
        """The status as it is shown."""
        return cls(status=status, category=workflow.category(status))


class WorkflowView(View):
    """What may become of a ticket."""

    statuses: list[StatusView]
