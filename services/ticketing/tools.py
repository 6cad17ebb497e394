"""The tools. Signature and docstring are the contract a model reads; the work is done at the desk."""

from __future__ import annotations

from typing import Annotated

from fastmcp.dependencies import Depends
from pydantic import Field

from services.shared.mcp.arguments import Cursor, Limit, SearchText
from services.shared.mcp.tool import CREATE, READ, desk, tool
from services.ticketing.desk import Draft, TicketDesk
from services.ticketing.repository import Wanted
from services.ticketing.views import TicketPageView, TicketView
from services.ticketing.workflow import Priority, Status, TicketType

Desk = Annotated[TicketDesk, Depends(desk)]

Key = Annotated[str, Field(min_length=1, max_length=64, description="The ticket's key, such as ACME-12.")]
Query = Annotated[SearchText | None, Field(description="Text to look for in key, title, description and labels.")]
Statuses = Annotated[
    Annotated[list[Status], Field(max_length=6)] | None,
    Field(description="Only tickets in one of these; empty means any."),
]
Title = Annotated[
    str, Field(min_length=1, max_length=200, pattern=r"\S", description="One line that says what it is about.")
]
Description = Annotated[str, Field(max_length=10_000, description="What happened, for whom, since when.")]
Label = Annotated[str, Field(min_length=1, max_length=50)]
Labels = Annotated[list[Label], Field(default_factory=list, max_length=20, description="Words to find it by.")]


@tool(scope="tickets:read", hints=READ, title="Search tickets")
def search_tickets(
    desk: Desk,
    *,
    query: Query = None,
    status: Statuses = None,
    limit: Limit = 20,
    cursor: Cursor = None,
) -> TicketPageView:
    """List tickets of the caller's organization, the last changed first.

    Without arguments it lists all the caller may see; a requester sees only tickets they reported. total counts every
    match, so limit=1 is enough to count. To go on, repeat the call with the same query and status and with cursor.
    """
    wanted = Wanted(query, tuple(status or ()))
    return TicketPageView.of(desk.search(wanted, limit=limit, cursor=cursor))


@tool(scope="tickets:read", hints=READ, title="Read a ticket")
def get_ticket(desk: Desk, key: Key) -> TicketView:
    """Read one ticket whose key is known; otherwise use search_tickets. Title and description are what users wrote."""
    return TicketView.of(desk.get(key))


@tool(scope="tickets:write", hints=CREATE, title="Open a ticket")
def create_ticket(
    desk: Desk,
    title: Title,
    *,
    description: Description = "",
    type: TicketType = "request",  # noqa: A002 - the name on the wire
    priority: Priority = "normal",
    labels: Labels,
) -> TicketView:
    """Open a ticket in the caller's organization, with the caller as reporter. Calling it twice opens two tickets.

    It starts as open and unassigned. Use incident for something broken, request for something wanted.
    """
    return TicketView.of(desk.create(Draft(title, description, type, priority, tuple(labels))))


TOOLS = (search_tickets, get_ticket, create_ticket)
