"""How tickets are stored."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, Integer, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, composite, mapped_column

from services.shared.database import UtcDateTime
from services.shared.feed import FedChange
from services.shared.idempotency import AnsweredCall
from services.shared.migrations.revisions import tables_of
from services.ticketing import text_index
from services.ticketing.history import EntryType, FeedType, Visibility
from services.ticketing.sla import Clock
from services.ticketing.workflow import Priority, Status, TicketType

Place = BigInteger().with_variant(Integer(), "sqlite")
"""SQLite takes a primary key for its own row number only if it is called INTEGER."""

ROOM = 2**32
"""Tickets there can be in one organization."""


class Base(DeclarativeBase):
    """All tables of this service."""

    metadata = tables_of("services.ticketing.migrations")
    type_annotation_map = {  # noqa: RUF012 - read by SQLAlchemy only
        datetime: UtcDateTime,
        list[str]: JSON,
        list[dict[str, Any]]: JSON,
    }


class Answered(AnsweredCall, Base):
    """Answers that are given again to whoever sends the same call again."""


class Tenant(Base):
    """An organization as ticketing needs it: how its keys begin, and the last number given out."""

    __tablename__ = "tenants"

    org_id: Mapped[str] = mapped_column(primary_key=True)
    ordinal: Mapped[int] = mapped_column(unique=True)
    ticket_prefix: Mapped[str] = mapped_column(unique=True)
    last_number: Mapped[int]


class Member(Base):
    """A person as ticketing knows them: of the seeded world, or by a write with a token of the organization."""

    __tablename__ = "members"

    org_id: Mapped[str] = mapped_column(ForeignKey(Tenant.org_id), primary_key=True)
    user_id: Mapped[str] = mapped_column(primary_key=True)
    roles: Mapped[list[str]]
    active: Mapped[bool]


class Team(Base):
    """A team a ticket can be for."""

    __tablename__ = "teams"

    org_id: Mapped[str] = mapped_column(ForeignKey(Tenant.org_id), primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]


class Ticket(Base):
    """A ticket as it stands now: its history, folded."""

    __tablename__ = "tickets"

    place: Mapped[int] = mapped_column(Place, primary_key=True, autoincrement=False)
    """Where it stands among all tickets; those of one organization stand together, in the order of their numbers."""
    id: Mapped[str] = mapped_column(unique=True)
    org_id: Mapped[str] = mapped_column(ForeignKey(Tenant.org_id))
    number: Mapped[int]
    key: Mapped[str] = mapped_column(unique=True)
    title: Mapped[str]
    description: Mapped[str]
    type: Mapped[TicketType]
    status: Mapped[Status]
    priority: Mapped[Priority]
    urgency: Mapped[int]
    """The priority as a number that grows with it, to sort by."""
    resolution: Mapped[str | None]
    reporter_id: Mapped[str]
    assignee_id: Mapped[str | None]
    team_id: Mapped[str | None]
    labels: Mapped[list[str]]
    version: Mapped[int]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    answered_at: Mapped[datetime | None]
    halted_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    paused: Mapped[timedelta]
    searched: Mapped[str] = mapped_column(deferred=True)
    """What a search looks through, case-folded: databases fold only ASCII, or each in its own way."""

    clock: Mapped[Clock] = composite("created_at", "answered_at", "halted_at", "ended_at", "paused")

    __table_args__ = (
        UniqueConstraint("org_id", "number"),
        # The order of most listings. What they filter by stands behind it, so that rows are read only to be shown.
        Index(
            "latest_first", "org_id", "updated_at", "number",
            "status", "priority", "type", "assignee_id", "team_id", "reporter_id",
        ),
        Index("newest_first", "org_id", "created_at", "number"),
        Index("most_urgent_first", "org_id", "urgency", "number"),
        Index("by_status", "org_id", "status", "priority", "type"),
        Index("by_assignee", "org_id", "assignee_id", "status", "priority", "type"),
        Index("by_reporter", "org_id", "reporter_id", "status", "priority", "type"),
        Index("by_team", "org_id", "team_id", "status", "priority", "type"),
    )  # fmt: skip


class TicketLabel(Base):
    """A label of a ticket, as it is looked for."""

    __tablename__ = "ticket_labels"

    place: Mapped[int] = mapped_column(Place, ForeignKey(Ticket.place, ondelete="CASCADE"), primary_key=True)
    label: Mapped[str] = mapped_column(primary_key=True)
    org_id: Mapped[str]

    __table_args__ = (Index("by_label", "org_id", "label", "place"),)


class HistoryEntry(Base):
    """One accepted write. Entries are added and never changed; the number of the last one is the ticket's version."""

    __tablename__ = "history"

    place: Mapped[int] = mapped_column(Place, ForeignKey(Ticket.place, ondelete="CASCADE"), primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    type: Mapped[EntryType]
    actor_id: Mapped[str]
    client_id: Mapped[str]
    acting: Mapped[str | None]
    trace_id: Mapped[str | None]
    changes: Mapped[list[dict[str, Any]]]
    comment: Mapped[Visibility | None]


class Comment(Base):
    """What somebody said about a ticket, with the entry of that number."""

    __tablename__ = "comments"

    place: Mapped[int] = mapped_column(Place, ForeignKey(Ticket.place, ondelete="CASCADE"), primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(unique=True)
    author_id: Mapped[str]
    body: Mapped[str]
    visibility: Mapped[Visibility]
    created_at: Mapped[datetime]


class Deletion(Base):
    """That there was a ticket, and who deleted it; nothing of what it said."""

    __tablename__ = "deletions"

    place: Mapped[int] = mapped_column(Place, primary_key=True, autoincrement=False)
    org_id: Mapped[str] = mapped_column(ForeignKey(Tenant.org_id))
    key: Mapped[str]
    version: Mapped[int]
    at: Mapped[datetime]
    actor_id: Mapped[str]
    client_id: Mapped[str]
    acting: Mapped[str | None]
    trace_id: Mapped[str | None]


class FeedEntry(FedChange, Base):
    """One accepted write, as it is told to who follows the organization; nothing of what was said."""

    org_id: Mapped[str] = mapped_column(ForeignKey(Tenant.org_id), primary_key=True)
    type: Mapped[FeedType]
    reporter_id: Mapped[str]
    """Of the ticket, which may be gone."""
    ticket_id: Mapped[str]
    key: Mapped[str]
    version: Mapped[int]
    changes: Mapped[list[dict[str, Any]]]
    visibility: Mapped[Visibility | None]

    __table_args__ = (Index("feed_by_reporter", "org_id", "reporter_id", "position"),)


class Tally(Base):
    """How many tickets of an organization are alike: what statistics and most totals are made of."""

    __tablename__ = "tallies"

    org_id: Mapped[str] = mapped_column(ForeignKey(Tenant.org_id), primary_key=True)
    status: Mapped[Status] = mapped_column(primary_key=True)
    priority: Mapped[Priority] = mapped_column(primary_key=True)
    type: Mapped[TicketType] = mapped_column(primary_key=True)
    count: Mapped[int]


def searched(*, key: str, title: str, description: str, labels: list[str]) -> str:
    """The text of ``Ticket.searched``."""
    return "\n".join((key, title, description, *labels)).casefold()


text_index.attach(Base.metadata.tables[Ticket.__tablename__])
