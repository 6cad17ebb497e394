"""How tickets are stored."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from services.shared.database import UtcDateTime
from services.shared.migrations.revisions import tables_of
from services.ticketing.workflow import Priority, Status, TicketType


class Base(DeclarativeBase):
    """All tables of this service."""

    metadata = tables_of("services.ticketing.migrations")
    type_annotation_map = {datetime: UtcDateTime, list[str]: JSON}  # noqa: RUF012 - read by SQLAlchemy only


class Tenant(Base):
    """An organization as ticketing needs it: how its keys begin, and the last number given out."""

    __tablename__ = "tenants"

    org_id: Mapped[str] = mapped_column(primary_key=True)
    ticket_prefix: Mapped[str] = mapped_column(unique=True)
    last_number: Mapped[int]


class Ticket(Base):
    """A ticket as it stands now."""

    __tablename__ = "tickets"

    id: Mapped[str] = mapped_column(primary_key=True)
    org_id: Mapped[str] = mapped_column(ForeignKey(Tenant.org_id))
    number: Mapped[int]
    key: Mapped[str] = mapped_column(unique=True)
    title: Mapped[str]
    description: Mapped[str]
    type: Mapped[TicketType]
    status: Mapped[Status]
    priority: Mapped[Priority]
    reporter_id: Mapped[str]
    assignee_id: Mapped[str | None]
    labels: Mapped[list[str]]
    version: Mapped[int]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    searched: Mapped[str]
    """What a search looks through, case-folded: databases fold only ASCII, or each in its own way."""

    __table_args__ = (UniqueConstraint("org_id", "number"), Index("latest_first", "org_id", "updated_at", "number"))


def searched(*, key: str, title: str, description: str, labels: list[str]) -> str:
    """The text of ``Ticket.searched``."""
    return "\n".join((key, title, description, *labels)).casefold()
