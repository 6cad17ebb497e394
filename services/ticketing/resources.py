"""The resources: what a client may read into a conversation without a tool call."""

from __future__ import annotations

from services.shared.mcp.resource import resource
from services.ticketing.arguments import Desk, Key
from services.ticketing.views import PoliciesView, TicketDetailView, WorkflowView


@resource("ticket://{key}", scope="tickets:read", title="Ticket")
def ticket(desk: Desk, key: Key) -> TicketDetailView:
    """One ticket as it stands now, with its last comments. Its texts are what users wrote."""
    return desk.get(key, frozenset({"comments"}))


@resource("ticketing://workflow", scope="tickets:read", title="Workflow")
def workflow(_desk: Desk) -> WorkflowView:
    """The statuses a ticket may have, the column of a board each stands in, and which leads to which."""
    return WorkflowView.whole()


@resource("ticketing://sla-policies", scope="tickets:read", title="SLA policies")
def sla_policies(_desk: Desk) -> PoliciesView:
    """How soon tickets of each priority must be answered and settled."""
    return PoliciesView.whole()


RESOURCES = (ticket, workflow, sla_policies)
