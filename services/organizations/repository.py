"""All SQL. Each statement about members and teams starts at ``_within``, the one place that parts tenants.

Except what is found by the key of ``reach`` itself, and ``memberships``: the rows of one person, for that person.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from sqlalchemy import Select, func, select, tuple_
from sqlalchemy.orm import Session

from services.organizations.membership import Status
from services.organizations.roles import Reach, Role
from services.organizations.tables import Member, Organization, Team, TeamMember

Kept = TypeVar("Kept", Member, Team, TeamMember)
Named = TypeVar("Named", Member, Team)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which of the visible members a listing holds."""

    query: str | None = None
    role: Role | None = None
    status: Status | None = None


@dataclass(frozen=True, slots=True)
class Page(Generic[Named]):
    """Some items of a listing, how many it holds in all, and the id to go on after (None: that was the end)."""

    items: list[Named]
    total: int
    end: str | None


@dataclass(frozen=True, slots=True)
class Membership:
    """A person and the organization they are a member of."""

    member: Member
    organization: Organization


@dataclass(frozen=True, slots=True)
class Access:
    """Who may do what in an organization: all in numbers, and by name those to look at."""

    counts: Sequence[tuple[Status, Role, int]]
    in_charge: Sequence[Member]
    invited: Sequence[Member]


@dataclass(frozen=True, slots=True)
class Overview:
    """An organization and how much of it the caller sees."""

    organization: Organization
    members: int
    teams: int


class Repository:
    """What is within ``reach``, in one transaction."""

    def __init__(self, session: Session, reach: Reach) -> None:
        self.session = session
        self._reach = reach

    def organization(self) -> Organization | None:
        """The organization itself, if it is known here."""
        return self.session.get(Organization, self._reach.org_id)

    def add(self, kept: Member | Team) -> None:
        """Store something new."""
        self.session.add(kept)
        self.session.flush()

    def member(self, member_id: str) -> Member | None:
        """The member of that id, if there is one within reach."""
        return self.session.scalar(self._members().where(Member.id == member_id))

    def member_by_email(self, email: str) -> Member | None:
        """The member of that address, in any case of letters."""
        found = self._members().where(Member.folded_email == email.casefold()).order_by(Member.id).limit(1)
        return self.session.scalar(found)

    def own(self, subject: str) -> Member | None:
        """The caller's own membership, which everybody may see. It is read once."""
        return self.session.get(Member, (self._reach.org_id, subject))

    def owners(self) -> int:
        """How many active owners the organization has."""
        owners = self._within(Member).where(Member.role == "owner", Member.status == "active")
        return self._count(owners)

    def members(self, wanted: Wanted, *, limit: int, after: Member | None) -> Page[Member]:
        """Up to ``limit`` members that come after one of them, by name."""
        matching = self._members()
        if wanted.query is not None:
            matching = matching.where(Member.searched.contains(wanted.query.casefold(), autoescape=True))
        if wanted.role is not None:
            matching = matching.where(Member.role == wanted.role)
        if wanted.status is not None:
            matching = matching.where(Member.status == wanted.status)
        return self._page(matching, Member, limit=limit, after=after)

    def count_members(self) -> int:
        """How many there are within reach."""
        return self._count(self._members())

    def count_by_standing(self) -> Sequence[tuple[Status, Role, int]]:
        """How many there are within reach with each status and role."""
        counted = (
            self._members()
            .with_only_columns(Member.status, Member.role, func.count())
            .group_by(Member.status, Member.role)
            .order_by(Member.status, Member.role)
        )
        return [(status, role, count) for status, role, count in self.session.execute(counted)]

    def emails_from(self, started: str, *, limit: int) -> Sequence[str]:
        """Addresses that begin so, in any case of letters."""
        found = self._members().where(Member.folded_email.startswith(started.casefold(), autoescape=True))
        emails = found.with_only_columns(Member.email).order_by(Member.folded_email).limit(limit)
        return self.session.scalars(emails).all()

    def team(self, team_id: str) -> Team | None:
        """The team of that id, if there is one within reach."""
        return self.session.scalar(self._teams().where(Team.id == team_id))

    def team_named(self, name: str) -> Team | None:
        """The team of that name, in any case of letters."""
        return self.session.scalar(self._teams().where(Team.folded_name == name.casefold()))

    def teams(self, *, limit: int, after: Team | None) -> Page[Team]:
        """Up to ``limit`` teams that come after one of them, by name."""
        return self._page(self._teams(), Team, limit=limit, after=after)

    def count_teams(self) -> int:
        """How many there are within reach."""
        return self._count(self._teams())

    def members_of(self, team: Team) -> Sequence[Member]:
        """Those in a team whom the caller may see, by name."""
        inside = self._within(TeamMember).where(TeamMember.team_id == team.id).with_only_columns(TeamMember.member_id)
        return self.session.scalars(self._members().where(Member.id.in_(inside)).order_by(Member.name, Member.id)).all()

    def sizes(self, teams: Sequence[Team]) -> Mapping[str, int]:
        """How many members each of the teams has that the caller may see, by its id."""
        counted = (
            self._within(TeamMember)
            .where(TeamMember.team_id.in_([team.id for team in teams]))
            .with_only_columns(TeamMember.team_id, func.count())
            .group_by(TeamMember.team_id)
        )
        if self._reach.member_id is not None:
            counted = counted.where(TeamMember.member_id == self._reach.member_id)
        return {team_id: size for team_id, size in self.session.execute(counted)}  # noqa: C416 - rows are no pairs to mypy

    def team_ids_from(self, started: str, *, limit: int) -> Sequence[str]:
        """Ids of teams that begin so, or whose names do in any case of letters; by name."""
        named = Team.folded_name.startswith(started.casefold(), autoescape=True)
        found = self._teams().where(named | Team.id.startswith(started, autoescape=True))
        return self.session.scalars(found.with_only_columns(Team.id).order_by(Team.name, Team.id).limit(limit)).all()

    def put_into(self, team: Team, member: Member) -> bool:
        """Whether somebody came into the team who was not in it."""
        if self._place(team, member) is not None:
            return False
        self.session.add(TeamMember(org_id=team.org_id, team_id=team.id, member_id=member.id))
        return True

    def take_from(self, team: Team, member: Member) -> bool:
        """Whether somebody left the team who was in it."""
        place = self._place(team, member)
        if place is not None:
            self.session.delete(place)
        return place is not None

    def _place(self, team: Team, member: Member) -> TeamMember | None:
        here = self._within(TeamMember).where(TeamMember.team_id == team.id, TeamMember.member_id == member.id)
        return self.session.scalar(here)

    def _members(self) -> Select[Member]:
        everybody = self._within(Member)
        return everybody if self._reach.member_id is None else everybody.where(Member.id == self._reach.member_id)

    def _teams(self) -> Select[Team]:
        every = self._within(Team)
        if self._reach.member_id is None:
            return every
        own = self._within(TeamMember).where(TeamMember.member_id == self._reach.member_id)
        return every.where(Team.id.in_(own.with_only_columns(TeamMember.team_id)))

    def _within(self, kind: type[Kept]) -> Select[Kept]:
        return select(kind).where(kind.org_id == self._reach.org_id)

    def _count(self, found: Select[Named]) -> int:
        return self.session.scalar(select(func.count()).select_from(found.subquery())) or 0

    def _page(self, matching: Select[Named], kind: type[Named], *, limit: int, after: Named | None) -> Page[Named]:
        statement = matching.order_by(kind.name, kind.id).limit(limit + 1)
        if after is not None:
            statement = statement.where(tuple_(kind.name, kind.id) > tuple_(after.name, after.id))
        items = list(self.session.scalars(statement))
        return Page(items[:limit], self._count(matching), items[limit - 1].id if len(items) > limit else None)


def memberships(session: Session, subject: str) -> Sequence[Membership]:
    """What somebody is a member of or invited to, by the organization's name: their own rows, and nobody else's."""
    own = (
        select(Member, Organization)
        .join(Organization, Organization.id == Member.org_id)
        .where(Member.id == subject, Member.status != "inactive")
        .order_by(Organization.name, Organization.id)
    )
    return [Membership(member, organization) for member, organization in session.execute(own)]
