"""One turn of a conversation: what the user said goes in, AG-UI events come out, and the store keeps both."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from dataclasses import KW_ONLY, dataclass
from uuid import uuid4

from ag_ui.core import BaseEvent, RunErrorEvent
from pydantic_ai import UsageLimits
from pydantic_ai.ui import NativeEvent
from pydantic_ai.ui.ag_ui import AGUIEventStream

from services.api.assistant.agent import ChatAgent
from services.api.assistant.events import ChatEvent, chat_event
from services.api.assistant.thread import Thread
from services.api.assistant.toolbox import Toolbox
from services.shared.problems import ProblemError

logger = logging.getLogger(__name__)

_LIMITS = UsageLimits(request_limit=12, tool_calls_limit=40)
"""What one turn may use, so that a model that goes in circles comes to an end."""


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
