"""Conversations, held by the server: what a browser sends is never taken for what was said before."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import uuid4

from pydantic_ai.agent import AgentRunResult
from pydantic_ai.conversation import Conversation
from pydantic_ai.conversation_store import ConversationConflict, ConversationStore
from pydantic_ai.usage import RunUsage

from services.shared.problems import Conflict, NotFound


@dataclass(frozen=True)
class Thread:
    """A conversation that the server holds for its owner; the caller has only the handle."""

    store: ConversationStore
    owner: str
    conversation: Conversation

    @property
    def id(self) -> str:
        """The handle."""
        return self.conversation.conversation_id

    @classmethod
    async def begin(cls, store: ConversationStore, owner: str) -> Thread:
        """A new one, stored at once: its handle stays good even if the first run breaks off."""
        conversation = Conversation(messages=[], conversation_id=str(uuid4()))
        await store.save(conversation, scope=owner)
        return cls(store, owner, conversation)

    @classmethod
    async def resume(cls, store: ConversationStore, owner: str, id: str) -> Thread:  # noqa: A002 - the field's name
        """The one with that handle.

        Raises:
            NotFound: there is none, or it is somebody else's.
        """
        conversation = await store.load(id, scope=owner)
        if conversation is None:
            raise NotFound(f"There is no conversation {id}.")
        # The limits are meant for one turn; what is stored here would count against them.
        conversation.usage = RunUsage()
        return cls(store, owner, conversation)

    async def save(self, result: AgentRunResult[str]) -> None:
        """Keep what was said.

        Raises:
            Conflict: another run of the same conversation ended in the meantime.
        """
        try:
            await self.store.save(result, scope=self.owner)
        except ConversationConflict:
            raise Conflict(
                "This conversation went on elsewhere in the meantime; nothing of this turn is kept."
            ) from None
