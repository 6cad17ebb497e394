"""How organizations, their members and their teams are stored."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, ForeignKeyConstraint, Index, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from services.organizations.events import Event
from services.organizations.membership import OrganizationStatus, Standing, Status
from services.organizations.roles import Role
from services.shared.database import UtcDateTime
from services.shared.feed import FedChange
from services.shared.idempotency import AnsweredCall
from services.shared.migrations.revisions import tables_of


class Base(DeclarativeBase):
    """All tables of this service."""

    metadata = tables_of("services.organizations.migrations")


class Answered(AnsweredCall, Base):
    """Calls that may be sent again."""


class Organization(Base):
    """A tenant."""

    __tablename__ = "organizations"

    id: Mapped[str] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    ticket_prefix: Mapped[str] = mapped_column(unique=True)
    status: Mapped[OrganizationStatus] = mapped_column(default="active")


class Member(Base):
    """Somebody in an organization. The same person may be a member of others, with another role."""

    __tablename__ = "members"

    org_id: Mapped[str] = mapped_column(ForeignKey(Organization.id), primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    username: Mapped[str]
    name: Mapped[str]
    email: Mapped[str]
    role: Mapped[Role]
    status: Mapped[Status] = mapped_column(default="active")
    invited_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    version: Mapped[int] = mapped_column(default=1)
    """Counts the changes, so that nobody overwrites one they have not seen."""
    searched: Mapped[str]
    """What a search looks through, case-folded: databases fold only ASCII, or each in its own way."""
    folded_email: Mapped[str]
    """By which somebody is found exactly, whatever the case."""

    __table_args__ = (Index("by_name", "org_id", "name", "id"), Index("by_email", "org_id", "folded_email"))

    @property
    def standing(self) -> Standing:
        """What the rules of ``membership`` look at."""
        return Standing(self.role, self.status, self.invited_until)

    def become(self, standing: Standing) -> bool:
        """Take the standing, and tell whether it was another; that counts as a change."""
        if standing == self.standing:
            return False
        self.role, self.status, self.invited_until = standing.role, standing.status, standing.invited_until
        self.version += 1
        return True


class Team(Base):
    """Some members under a name: a Group of SCIM (RFC 7643 §4.2)."""

    __tablename__ = "teams"

    org_id: Mapped[str] = mapped_column(ForeignKey(Organization.id), primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    folded_name: Mapped[str]
    """No two teams of an organization have the same name, whatever the case."""
    version: Mapped[int] = mapped_column(default=1)

    __table_args__ = (
        UniqueConstraint("org_id", "folded_name"),
        Index("teams_by_name", "org_id", "name", "id"),
    )


class TeamMember(Base):
    """Somebody in a team."""

    __tablename__ = "team_members"

    org_id: Mapped[str] = mapped_column(primary_key=True)
    team_id: Mapped[str] = mapped_column(primary_key=True)
    member_id: Mapped[str] = mapped_column(primary_key=True)

    __table_args__ = (
        ForeignKeyConstraint(["org_id", "team_id"], [Team.org_id, Team.id]),
        ForeignKeyConstraint(["org_id", "member_id"], [Member.org_id, Member.id]),
        Index("teams_of_member", "org_id", "member_id"),
    )


class FeedEntry(FedChange, Base):
    """One accepted write, as it is told to who follows the organization."""

    org_id: Mapped[str] = mapped_column(ForeignKey(Organization.id), primary_key=True)
    type: Mapped[Event]
    member_id: Mapped[str | None]
    team_id: Mapped[str | None]
    role: Mapped[Role | None]
    version: Mapped[int]

    __table_args__ = (Index("feed_of_member", "org_id", "member_id", "position"),)


def searched(*, username: str, name: str, email: str) -> str:
    """The text of ``Member.searched``."""
    return "\n".join((username, name, email)).casefold()
