"""One turn of a conversation: what the user said goes in, AG-UI events come out, and the store keeps both."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from dataclasses import KW_ONLY, dataclass
from uuid import uuid4

from ag_ui.core import BaseEvent, RunErrorEvent
from pydantic_ai import UsageLimits
from pydantic_ai.agent import AgentRunResult
from pydantic_ai.conversation import Conversation
from pydantic_ai.conversation_store import ConversationConflict, ConversationStore
from pydantic_ai.ui import NativeEvent
from pydantic_ai.ui.ag_ui import AGUIEventStream
from pydantic_ai.usage import RunUsage

from services.api.assistant.agent import ChatAgent
from services.api.assistant.events import ChatEvent, chat_event
from services.api.assistant.toolbox import Toolbox
from services.shared.problems import Conflict, NotFound, ProblemError

logger = logging.getLogger(__name__)

_LIMITS = UsageLimits(request_limit=12, tool_calls_limit=40)
"""What one turn may use, so that a model that goes in circles comes to an end."""


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


@dataclass(frozen=True)
class Turn:
    """What the user said, where, and with which tools it may be answered."""

    agent: ChatAgent
    toolbox: Toolbox
    thread: Thread
    message: str

    async def events(self) -> AsyncIterator[ChatEvent]:
        """Run the agent. A failure is the last event, not an exception."""
        stream = _Stream(thread_id=self.thread.id, run_id=str(uuid4()), toolbox=self.toolbox)
        async for event in stream.transform_stream(self._run(), on_complete=self.thread.save):
            if (seen := chat_event(event)) is not None:
                yield seen

    async def _run(self) -> AsyncIterator[NativeEvent]:
        async with self.agent.run_stream_events(
            self.message,
            conversation=self.thread.conversation,
            toolsets=self.toolbox.toolsets(),
            usage_limits=_LIMITS,
        ) as events:
            async for event in events:
                yield event


@dataclass
class _Stream(AGUIEventStream[None, str]):
    """AG-UI events of a run; an error says which service failed, and nothing of the inside."""

    _: KW_ONLY
    toolbox: Toolbox

    async def on_error(self, error: Exception) -> AsyncIterator[BaseEvent]:
        self._error = True  # as the base class does: no RUN_FINISHED after this
        problem = error if isinstance(error, ProblemError) else self.toolbox.failure(error)
        if problem is None:
            logger.error("a run failed", exc_info=error)
            problem = ProblemError("The assistant failed in a way nobody foresaw; the log of the api says how.")
        yield RunErrorEvent(message=problem.detail, code=problem.code)
