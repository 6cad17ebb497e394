"""The store of conversations on the api's own database, asked from threads: the event loop never waits for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence, Set
from contextlib import AbstractContextManager
from typing import TypeVar
from uuid import uuid4

from anyio import CapacityLimiter, move_on_after, to_thread
from pydantic_ai.conversation import Conversation
from pydantic_ai.conversation_store import ConversationEntry, ConversationRecord, ConversationStore
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoConnectionLeft
from sqlalchemy.orm import Session

from services.api.assistant.repository import ConversationRepository, Page, Place
from services.api.circuit import PROBE_S
from services.api.tables import StoredConversation
from services.shared.database import Database
from services.shared.problems import Unavailable

THREADS = 8
"""That may wait for the database at once; more would only wait for each other there."""

Found = TypeVar("Found")
Transaction = Callable[[], AbstractContextManager[Session]]


class Archive(ConversationStore):
    """Conversations that outlive the process. Deleting one erases its messages, unless a fork still holds them."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._threads = CapacityLimiter(THREADS)
        self._probes = CapacityLimiter(1)

    async def begin(self, *, owner: str, title: str, scopes: Set[str]) -> Conversation:
        """A new conversation, in which nothing was said yet; who reads with ``scopes`` will speak in it."""
        record = ConversationRecord(conversation_id=str(uuid4()), head_id=None, scope=owner)
        await self._writing(lambda stored: stored.write(record, (), expected_revision=None, title=title, scopes=scopes))
        return Conversation(
            messages=[], conversation_id=record.conversation_id, revision=record.revision, new_message_index=0
        )

    async def enter(self, owner: str, id: str, scopes: Set[str]) -> Set[str] | None:  # noqa: A002
        """As `ConversationRepository.enter`."""
        return await self._writing(lambda stored: stored.enter(owner, id, scopes))

    async def page(self, owner: str, *, after: Place | None, limit: int) -> Page:
        """Conversations of ``owner``, the last used first."""
        return await self._reading(lambda stored: stored.page(owner, after=after, limit=limit))

    async def whole(self, owner: str, id: str) -> tuple[StoredConversation, list[ConversationEntry]] | None:  # noqa: A002
        """A conversation of ``owner``, and all that was said in it."""

        def read(stored: ConversationRepository) -> tuple[StoredConversation, list[ConversationEntry]] | None:
            found = stored.of(owner, id)
            return None if found is None else (found, stored.history(found.head_id))

        return await self._reading(read)

    async def erase(self, owner: str, id: str) -> bool:  # noqa: A002
        """Delete a conversation of ``owner``; returns whether there was one."""

        def erase(stored: ConversationRepository) -> bool:
            found = stored.of(owner, id)
            if found is not None:
                stored.delete(found)
            return found is not None

        return await self._writing(erase)

    async def answers(self) -> bool:
        """Whether the database can be read now, and soon."""

        def probe() -> bool:
            try:
                with self._database.reading() as session:
                    return bool(session.scalar(text("SELECT 1")))
            except (DBAPIError, NoConnectionLeft, Unavailable):
                return False

        with move_on_after(PROBE_S):
            return await to_thread.run_sync(probe, limiter=self._probes, abandon_on_cancel=True)
        return False

    async def read_record(self, conversation_id: str) -> ConversationRecord | None:
        """As the store promises."""
        return await self._reading(lambda stored: stored.record(conversation_id))

    async def read_records(self, *, scope: str | None = None, limit: int | None = None) -> Sequence[ConversationRecord]:
        """As the store promises."""
        return await self._reading(lambda stored: stored.records(owner=scope, limit=limit))

    async def write_record(
        self,
        record: ConversationRecord,
        *,
        new_entries: Sequence[ConversationEntry] = (),
        expected_revision: str | None,
    ) -> None:
        """As the store promises, in one transaction."""
        await self._writing(lambda stored: stored.write(record, new_entries, expected_revision=expected_revision))

    async def delete_record(self, conversation_id: str, *, expected_revision: str) -> None:
        """As the store promises."""
        await self._writing(lambda stored: stored.delete_record(conversation_id, expected_revision=expected_revision))

    async def read_entry(self, entry_id: str) -> ConversationEntry:
        """As the store promises."""
        return await self._reading(lambda stored: stored.entry(entry_id))

    async def read_history(self, head_id: str | None, *, limit: int | None = None) -> list[ConversationEntry]:
        """As the store promises, by one statement."""
        return await self._reading(lambda stored: stored.history(head_id, limit=limit))

    async def _reading(self, work: Callable[[ConversationRepository], Found]) -> Found:
        return await self._in_thread(self._database.reading, work)

    async def _writing(self, work: Callable[[ConversationRepository], Found]) -> Found:
        return await self._in_thread(self._database.writing, work)

    async def _in_thread(self, transaction: Transaction, work: Callable[[ConversationRepository], Found]) -> Found:
        def run() -> Found:
            with transaction() as session:
                return work(ConversationRepository(session))

        try:
            return await to_thread.run_sync(run, limiter=self._threads)
        except (DBAPIError, NoConnectionLeft) as error:
            raise Unavailable("Conversations cannot be read or written now: their database does not answer.") from error
