"""How organizations and their members are stored."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from services.organizations.roles import Role
from services.shared.migrations.revisions import tables_of


class Base(DeclarativeBase):
    """All tables of this service."""

    metadata = tables_of("services.organizations.migrations")


class Organization(Base):
    """A tenant."""

    __tablename__ = "organizations"

    id: Mapped[str] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    ticket_prefix: Mapped[str] = mapped_column(unique=True)


class Member(Base):
    """Somebody in an organization. The same person may be a member of others, with another role."""

    __tablename__ = "members"

    org_id: Mapped[str] = mapped_column(ForeignKey(Organization.id), primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    username: Mapped[str]
    name: Mapped[str]
    email: Mapped[str]
    role: Mapped[Role]
    version: Mapped[int] = mapped_column(default=1)
    """Counts the changes, so that nobody overwrites one they have not seen."""
    searched: Mapped[str]
    """What a search looks through, case-folded: databases fold only ASCII, or each in its own way."""

    __table_args__ = (Index("by_name", "org_id", "name", "id"),)


def searched(*, username: str, name: str, email: str) -> str:
    """The text of ``Member.searched``."""
    return "\n".join((username, name, email)).casefold()
