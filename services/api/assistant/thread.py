"""Conversations, held by the server: what a browser sends is never taken for what was said before."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Sequence, Set
from contextlib import asynccontextmanager
from dataclasses import dataclass

from pydantic_ai.agent import AgentRunResult
from pydantic_ai.conversation import Conversation
from pydantic_ai.conversation_store import ConversationConflict
from pydantic_ai.messages import ModelMessage
from pydantic_ai.usage import RunUsage

from services.api.assistant import said
from services.api.assistant.archive import Archive
from services.api.assistant.conversations import closed, missing
from services.api.assistant.floor import Floor
from services.shared.problems import Conflict, NotFound, ProblemError

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Thread:
    """A conversation that the server holds for its owner; the caller has only the handle."""

    archive: Archive
    owner: str
    conversation: Conversation

    @property
    def id(self) -> str:
        """The handle."""
        return self.conversation.conversation_id

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        archive: Archive,
        floor: Floor,
        *,
        owner: str,
        scopes: Set[str],
        id: str | None,  # noqa: A002 - the field's name
        message: str,
    ) -> AsyncIterator[Thread]:
        """The one with that handle, or a new one that begins with ``message``; for one turn at a time.

        ``scopes``: with which that turn may read.

        Raises:
            NotFound: there is none, or it is somebody else's.
            InsufficientScope: as `resume`.
            Conflict: another turn of it is under way.
        """
        if id is None:
            thread = await cls.begin(archive, owner, message, scopes=scopes)
            async with floor.of(owner, thread.id):
                yield thread
            return
        async with floor.of(owner, id):
            yield await cls.resume(archive, owner, id, scopes=scopes)

    @classmethod
    async def begin(cls, archive: Archive, owner: str, message: str, *, scopes: Set[str]) -> Thread:
        """A new one, stored at once: its handle stays good even if the first run breaks off."""
        return cls(archive, owner, await archive.begin(owner=owner, title=said.title(message), scopes=scopes))

    @classmethod
    async def resume(cls, archive: Archive, owner: str, id: str, *, scopes: Set[str]) -> Thread:  # noqa: A002
        """The one with that handle.

        Raises:
            NotFound: there is none, or it is somebody else's.
            InsufficientScope: earlier turns could read more, and what they read stands in it.
        """
        needed = await archive.enter(owner, id, scopes)
        if needed:
            raise closed(needed)
        conversation = await archive.load(id, scope=owner)
        if conversation is None:
            raise missing(id)
        # The limits are meant for one turn; what is stored here would count against them.
        conversation.usage = RunUsage()
        return cls(archive, owner, conversation)

    async def save(self, spoken: AgentRunResult[str] | Conversation) -> None:
        """Keep what was said.

        Raises:
            Conflict: another process ended a turn of the same conversation in the meantime.
            NotFound: it was deleted.
        """
        try:
            await self.archive.save(spoken, scope=self.owner)
        except ConversationConflict:
            if await self.archive.load(self.id, limit=0, scope=self.owner) is None:
                raise NotFound("This conversation was deleted in the meantime; nothing of this turn is kept.") from None
            raise Conflict(
                "This conversation went on elsewhere in the meantime; nothing of this turn is kept."
            ) from None

    async def break_off(self, messages: Sequence[ModelMessage], usage: RunUsage) -> None:
        """Keep ``messages``, all there is of a turn that did not come to its end. Nobody is left to be told more."""
        self.conversation.messages = [*self.conversation.messages, *messages]
        self.conversation.usage = usage
        try:
            await self.save(self.conversation)
        except ProblemError as error:
            logger.info("conversation %s: %s", self.id, error.detail)
