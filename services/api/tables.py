"""How conversations with the assistant are stored."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from services.shared.database import UtcDateTime
from services.shared.migrations.revisions import tables_of


class Base(DeclarativeBase):
    """All tables of this service."""

    metadata = tables_of("services.api.migrations")


class StoredConversation(Base):
    """Where a conversation ends, whose it is, and what it carries besides its messages."""

    __tablename__ = "conversations"

    id: Mapped[str] = mapped_column(primary_key=True)
    owner: Mapped[str | None]
    title: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)
    message_count: Mapped[int]
    """Of the messages a person sees."""
    version: Mapped[int]
    """Counts the writes, for its owner."""
    revision: Mapped[str]
    """By which the agent's writers tell that nobody wrote in between; one that was made anew has another."""
    line: Mapped[str] = mapped_column(index=True)
    """Shared by a conversation and all that were forked from it: their entries are common, and go with the last."""
    head_id: Mapped[str | None]
    scopes: Mapped[str]
    """With which its turns could read, sorted, a space between two: what was said may tell what needs any of them."""
    carried: Mapped[str]
    """JSON."""

    @property
    def needs(self) -> frozenset[str]:
        """`scopes` one by one."""
        return frozenset(self.scopes.split())

    __table_args__ = (Index("conversations_by_use", "owner", "updated_at", "id"),)


class StoredEntry(Base):
    """One message, and the one before it. Never changed."""

    __tablename__ = "entries"

    id: Mapped[str] = mapped_column(primary_key=True)
    line: Mapped[str] = mapped_column(index=True)
    parent_id: Mapped[str | None]
    shown: Mapped[int]
    """How many messages a person sees from the first one to this."""
    message: Mapped[str]
    """JSON, as text: PostgreSQL's own kind takes no U+0000, however it is written."""
