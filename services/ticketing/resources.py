"""The resources: what a client may read into a conversation without a tool call."""

from __future__ import annotations

from services.shared.mcp.resource import resource
from services.ticketing.tools import Desk, Key
from services.ticketing.views import StatusView, TicketView, WorkflowView
from services.ticketing.workflow import STATUSES


@resource("ticket://{key}", scope="tickets:read", title="Ticket")
def ticket(desk: Desk, key: Key) -> TicketView:
    """One ticket as it stands now, by its key. Title and description are what users wrote."""
    return TicketView.of(desk.get(key))


@resource("ticketing://workflow", scope="tickets:read", title="Workflow")
def workflow(_desk: Desk) -> WorkflowView:
    """The statuses a ticket may have, and the column of a board each stands in."""
    return WorkflowView(statuses=[StatusView.of(status) for status in STATUSES])


RESOURCES = (ticket, workflow)
