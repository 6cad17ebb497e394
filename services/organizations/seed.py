"""The world's organizations and people, laid into an empty database."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

from sqlalchemy import exists, select

from services.organizations.roles import Role
from services.organizations.tables import Member, Organization, searched
from services.shared.database import Database
from services.shared.world import World


def lay(world: World, database: Database) -> None:
    """Store the world, unless there is one already."""
    with database.writing() as session:
        if not session.scalar(select(exists(select(Organization)))):
            session.add_all(organizations(world))
            session.flush()
            session.add_all(members(world))


def organizations(world: World) -> Iterator[Organization]:
    """The world's organizations."""
    for organization in world.organizations:
        yield Organization(
            id=organization.id, slug=organization.slug, name=organization.name, ticket_prefix=organization.prefix
        )


def members(world: World) -> Iterator[Member]:
    """The world's people, each in the organization they are in."""
    for organization in world.organizations:
        for person in organization.people:
            yield Member(
                org_id=organization.id,
                id=person.id,
                username=person.username,
                name=person.name,
                email=person.email,
                role=cast(Role, person.role),
                searched=searched(username=person.username, name=person.name, email=person.email),
            )
