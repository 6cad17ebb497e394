"""The world's organizations, people and teams, laid into an empty database."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

from sqlalchemy import exists, select

from services.organizations.roles import Role
from services.organizations.tables import Member, Organization, Team, TeamMember, searched
from services.shared.database import Database
from services.shared.world import World


def lay(world: World, database: Database) -> None:
    """Store the world, unless there is one already."""
    with database.writing() as session:
        if not session.scalar(select(exists(select(Organization)))):
            for kind in (organizations, members, teams, team_members):
                session.add_all(kind(world))
                session.flush()


def organizations(world: World) -> Iterator[Organization]:
    """The world's organizations."""
    for organization in world.organizations:
        yield Organization(
            id=organization.id,
            slug=organization.slug,
            name=organization.name,
            ticket_prefix=organization.prefix,
            status=organization.status,
        )


def members(world: World) -> Iterator[Member]:
    """The world's people, each in the organization they are in or were in, or are invited to."""
    for organization in world.organizations:
        for person in organization.people:
            yield Member(
                org_id=organization.id,
                id=person.id,
                username=person.username,
                name=person.name,
                email=person.email,
                role=cast(Role, person.role),
                status=person.status,
                invited_until=person.invitation_expires_at,
                folded_email=person.email.casefold(),
                searched=searched(username=person.username, name=person.name, email=person.email),
            )


def teams(world: World) -> Iterator[Team]:
    """The world's teams."""
    for organization in world.organizations:
        for team in organization.teams:
            yield Team(org_id=organization.id, id=team.id, name=team.name, folded_name=team.name.casefold())


def team_members(world: World) -> Iterator[TeamMember]:
    """Who is in them."""
    for organization in world.organizations:
        for team in organization.teams:
            for member_id in team.member_ids:
                yield TeamMember(org_id=organization.id, team_id=team.id, member_id=member_id)
