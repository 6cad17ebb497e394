"""All SQL of conversations. What is read for somebody starts at their ownership."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any, NamedTuple

from pydantic import TypeAdapter
from pydantic_ai.conversation_store import ConversationConflict, ConversationEntry, ConversationRecord
from pydantic_ai.messages import ModelMessage
from pydantic_core import PydanticSerializationError
from sqlalchemy import delete, func, select, tuple_
from sqlalchemy.orm import Session

from services.api.assistant import said
from services.api.assistant.characters import well_formed
from services.api.parameters import Instant
from services.api.scopes import READING
from services.api.tables import StoredConversation, StoredEntry

_IN_COLUMNS = {"conversation_id", "head_id", "scope", "revision", "updated_at"}

_RECORD = TypeAdapter(ConversationRecord)
_MESSAGE: TypeAdapter[ModelMessage] = TypeAdapter(ModelMessage)


class Place(NamedTuple):
    """Where a page ended: when that conversation was last used, and its id."""

    used_at: Instant
    id: str


@dataclass(frozen=True, slots=True)
class Page:
    """Some conversations, how many there are in all, and the place to go on after (None: that was the end)."""

    items: Sequence[StoredConversation]
    total: int
    end: Place | None


@dataclass(frozen=True, slots=True)
class ConversationRepository:
    """Conversations and their messages, in one transaction."""

    session: Session

    def record(self, id: str) -> ConversationRecord | None:  # noqa: A002 - as the store calls it
        """The record of any conversation."""
        row = self.session.get(StoredConversation, id)
        return None if row is None else _record(row)

    def records(self, *, owner: str | None, limit: int | None) -> list[ConversationRecord]:
        """Records, the last used first; of everybody if no owner is named."""
        rows = select(StoredConversation).order_by(StoredConversation.updated_at.desc(), StoredConversation.id.desc())
        if owner is not None:
            rows = rows.where(StoredConversation.owner == owner)
        return [_record(row) for row in self.session.scalars(rows.limit(limit))]

    def page(self, owner: str, *, after: Place | None, limit: int) -> Page:
        """Conversations of ``owner``, the last used first."""
        used = (StoredConversation.updated_at, StoredConversation.id)
        theirs = StoredConversation.owner == owner
        rows = select(StoredConversation).where(theirs).order_by(*(column.desc() for column in used)).limit(limit + 1)
        if after is not None:
            rows = rows.where(tuple_(*used) < after)
        found = self.session.scalars(rows).all()
        total = self.session.scalar(select(func.count()).select_from(StoredConversation).where(theirs)) or 0
        items, more = found[:limit], found[limit:]
        return Page(items, total, Place(items[-1].updated_at, items[-1].id) if more else None)

    def of(self, owner: str, id: str) -> StoredConversation | None:  # noqa: A002
        """The conversation of ``owner`` with that id."""
        this = select(StoredConversation).where(StoredConversation.id == id, StoredConversation.owner == owner)
        return self.session.scalars(this).one_or_none()

    def history(self, head_id: str | None, *, limit: int | None = None) -> list[ConversationEntry]:
        """What was said up to that entry, or the last ``limit`` messages of it.

        Raises:
            LookupError: it is not there (any more).
        """
        if head_id is None:
            return []
        line = select(StoredEntry.line).where(StoredEntry.id == head_id).scalar_subquery()
        rows = {row.id: row for row in self.session.scalars(select(StoredEntry).where(StoredEntry.line == line))}
        found: list[ConversationEntry] = []
        at: str | None = head_id
        while at is not None and (limit is None or len(found) < limit):
            found.append(_entry(rows[at]))
            at = rows[at].parent_id
        return found[::-1]

    def entry(self, id: str) -> ConversationEntry:  # noqa: A002
        """One entry. Raises LookupError: as ``history``."""
        row = self.session.get(StoredEntry, id)
        if row is None:
            raise LookupError(id)
        return _entry(row)

    def write(
        self,
        record: ConversationRecord,
        entries: Sequence[ConversationEntry],
        *,
        expected_revision: str | None,
        title: str = "",
        scopes: Set[str] = frozenset(READING),
    ) -> None:
        """Store ``record`` and what is new in its history. Only a new one takes ``title`` and ``scopes``.

        Raises:
            ConversationConflict: it is not at ``expected_revision``, or its history is gone.
        """
        row = self.session.get(StoredConversation, record.conversation_id)
        if (row.revision if row else None) != expected_revision:
            raise ConversationConflict(record.conversation_id)
        begins_at = entries[0].parent_id if entries else record.head_id
        shared = None if begins_at is None else self.session.get(StoredEntry, begins_at)
        line = row.line if row else shared.line if shared else record.conversation_id
        added = _stored(entries, line, shown=shared.shown if shared else 0)
        self.session.add_all(added.values())
        head = added.get(record.head_id or "") or shared
        if record.head_id is not None and (head is None or head.id != record.head_id):
            raise ConversationConflict(record.conversation_id)
        if row is None:
            row = StoredConversation(
                id=record.conversation_id,
                title=title or said.title(""),
                created_at=record.updated_at,
                line=line,
                scopes=_joined(scopes),
            )
            row.version = 0
            self.session.add(row)
        row.owner, row.revision, row.head_id = record.scope, record.revision, record.head_id
        row.updated_at, row.version = record.updated_at, row.version + 1
        row.message_count = head.shown if head else 0
        row.carried = _RECORD.dump_json(record, exclude=_IN_COLUMNS).decode()

    def enter(self, owner: str, id: str, scopes: Set[str]) -> Set[str] | None:  # noqa: A002
        """Let a turn with ``scopes`` into a conversation of ``owner``, which from then on needs them all.

        Returns which are missing for that, and then nothing has changed; None if there is no such conversation.
        """
        row = self.of(owner, id)
        if row is None:
            return None
        missing = row.needs - scopes
        if not missing:
            row.scopes = _joined(scopes)
        return missing

    def delete(self, row: StoredConversation) -> None:
        """Take a conversation away, and all that was said in it unless another one was forked from it or led to it."""
        self.session.delete(row)
        self.session.flush()
        left = select(StoredConversation.id).where(StoredConversation.line == row.line).limit(1)
        if self.session.scalar(left) is None:
            self.session.execute(delete(StoredEntry).where(StoredEntry.line == row.line))

    def delete_record(self, id: str, *, expected_revision: str) -> None:  # noqa: A002
        """Take the conversation of that revision away. Raises ConversationConflict: there is none."""
        row = self.session.get(StoredConversation, id)
        if row is None or row.revision != expected_revision:
            raise ConversationConflict(id)
        self.delete(row)


def _joined(scopes: Set[str]) -> str:
    return " ".join(sorted(scopes))


def _record(row: StoredConversation) -> ConversationRecord:
    columns = {
        "conversation_id": row.id,
        "head_id": row.head_id,
        "scope": row.owner,
        "revision": row.revision,
        "updated_at": row.updated_at,
    }
    return _RECORD.validate_python({**json.loads(row.carried), **columns})


def _entry(row: StoredEntry) -> ConversationEntry:
    return ConversationEntry(id=row.id, parent_id=row.parent_id, message=_MESSAGE.validate_json(row.message))


def _stored(entries: Sequence[ConversationEntry], line: str, *, shown: int) -> Mapping[str, StoredEntry]:
    rows: dict[str, StoredEntry] = {}
    for entry in entries:
        shown += said.is_shown(entry.message)
        rows[entry.id] = StoredEntry(
            id=entry.id, line=line, parent_id=entry.parent_id, shown=shown, message=_json(entry.message)
        )
    return rows


def _json(message: ModelMessage) -> str:
    try:
        return _MESSAGE.dump_json(message).decode()
    except PydanticSerializationError:
        # A model may say half of a surrogate pair, which is no text in UTF-8.
        return well_formed(json.dumps(_plain(message), ensure_ascii=False))


def _plain(message: ModelMessage) -> Any:
    return _MESSAGE.dump_python(message, mode="json")
