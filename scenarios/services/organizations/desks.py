"""Desks on a real database, without a server, and with an identity provider in memory."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from scenarios.services.organizations.provider import ISSUER, Account, Provider
from services.organizations import seed
from services.organizations.desk import OrganizationDesk
from services.organizations.directory import Directory
from services.organizations.office import Office
from services.organizations.repository import Wanted
from services.organizations.tables import Member
from services.organizations.views import VersionedMemberView
from services.shared import world
from services.shared.database import Database
from services.shared.permissions import Caller

WORLD = world.load("small", 1)
MIRA = "mira@partner.example"
NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
BOTH_SCOPES = frozenset({"orgs:read", "orgs:write"})


@dataclass
class Desks:
    """``desks("alice")`` serves her. The clock stands until it is moved, and ids count."""

    database: Database
    provider: Provider
    directory: Directory
    at: datetime = NOON

    @classmethod
    def on(cls, database: Database) -> Desks:
        """With a provider that knows everybody in the world."""
        provider = Provider(
            {
                person.id: Account(person.username, organization.id, person.role, person.status == "active")
                for organization in WORLD.organizations
                for person in organization.people
            }
        )
        return cls(database, provider, Directory(ISSUER, "the secret", transport=provider))

    def __call__(
        self, username: str, *, role: str | None = None, scopes: frozenset[str] = BOTH_SCOPES
    ) -> OrganizationDesk:
        organization, person = self.person(username)
        return self.of(Caller(person.id, organization.id, frozenset({role or person.role}), scopes))

    def of(self, caller: Caller) -> OrganizationDesk:
        """The desk of anybody."""
        return OrganizationDesk(
            Office(
                caller,
                self.database,
                self.directory,
                now=lambda: self.at,
            )
        )

    def id(self, username: str) -> str:
        """Of somebody in the world."""
        return self.person(username)[1].id

    def person(self, username: str) -> tuple[world.Organization, world.Person]:
        """Somebody in the world, and where."""
        return next(
            (organization, person)
            for organization in WORLD.organizations
            for person in organization.people
            if person.username == username
        )

    def pass_by(self, time: timedelta) -> None:
        """Later."""
        self.at += time


def lay(database: Database) -> None:
    """Put the base world into an empty database."""
    seed.lay(WORLD, database)


def everybody(desk: OrganizationDesk, wanted: Wanted = Wanted(), *, limit: int = 100) -> list[Member]:  # noqa: B008
    found, cursor = list[Member](), None
    while True:
        listing = desk.members.list(wanted, limit=limit, cursor=cursor)
        found += listing.page.items
        if (cursor := listing.next_cursor) is None:
            assert listing.page.total == len(found)
            return found


def usernames(desk: OrganizationDesk, wanted: Wanted = Wanted()) -> list[str]:  # noqa: B008
    return [member.username for member in everybody(desk, wanted)]


def known(desks: Desks, username: str) -> Member:
    return desks("olivia").members.get(desks.id(username), None)


def invited(desks: Desks, email: str = MIRA, role: Any = "agent", *, key: str | None = None) -> VersionedMemberView:
    return desks("adam").members.invite(email, role, key=key)


def as_invited(desks: Desks, member_id: str) -> OrganizationDesk:
    """The desk for somebody who was invited, and let in by the provider."""
    caller = desks("alice").office.caller
    return desks.of(replace(caller, subject=member_id))


def standings(desks: Desks) -> dict[str, tuple[str, str, int]]:
    return {member.id: (member.role, member.status, member.version) for member in everybody(desks("olivia"))}
