"""The world's tickets, laid into an empty database."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

from sqlalchemy import exists, select

from services.shared.database import Database
from services.shared.world import Organization, SeededTicket, World, seeded_id
from services.ticketing.tables import Tenant, Ticket, searched
from services.ticketing.workflow import Priority, Status, TicketType


def lay(world: World, database: Database) -> None:
    """Store the world, unless there is one already."""
    with database.writing() as session:
        if not session.scalar(select(exists(select(Tenant)))):
            session.add_all(tenants(world))
            session.flush()
            session.add_all(tickets(world))


def tenants(world: World) -> Iterator[Tenant]:
    """The world's organizations."""
    for organization in world.organizations:
        yield Tenant(org_id=organization.id, ticket_prefix=organization.prefix, last_number=len(organization.tickets))


def tickets(world: World) -> Iterator[Ticket]:
    """The world's tickets, each in the organization it belongs to."""
    for organization in world.organizations:
        for ticket in organization.tickets:
            yield _ticket(ticket, organization, world.seed)


def _ticket(ticket: SeededTicket, organization: Organization, seed: int) -> Ticket:
    key = f"{organization.prefix}-{ticket.number}"
    labels = list(ticket.labels)
    return Ticket(
        id=seeded_id("tkt", seed, organization.slug, ticket.number),
        org_id=organization.id,
        number=ticket.number,
        key=key,
        title=ticket.title,
        description=ticket.description,
        type=cast(TicketType, ticket.type),
        status=cast(Status, ticket.status),
        priority=cast(Priority, ticket.priority),
        reporter_id=ticket.reporter_id,
        assignee_id=ticket.assignee_id,
        labels=labels,
        version=1,
        created_at=ticket.created_at,
        updated_at=ticket.updated_at,
        searched=searched(key=key, title=ticket.title, description=ticket.description, labels=labels),
    )
