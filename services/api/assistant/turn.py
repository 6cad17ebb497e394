"""One turn of a conversation: what the user said goes in, AG-UI events come out, and the store keeps both."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from dataclasses import KW_ONLY, dataclass, field
from uuid import uuid4

import anyio
from ag_ui.core import BaseEvent, RunErrorEvent
from pydantic_ai import AgentRunEvents, UsageLimits
from pydantic_ai.agent import AgentRunResult
from pydantic_ai.exceptions import UserError
from pydantic_ai.messages import ModelMessage, ModelRequest, UserPromptPart
from pydantic_ai.ui import NativeEvent
from pydantic_ai.ui.ag_ui import AGUIEventStream
from pydantic_ai.usage import RunUsage

from services.api.assistant.agent import ChatAgent
from services.api.assistant.events import ChatEvent, chat_event
from services.api.assistant.thread import Thread
from services.api.assistant.toolbox import Toolbox
from services.shared.problems import ProblemError

logger = logging.getLogger(__name__)

_LIMITS = UsageLimits(request_limit=12, tool_calls_limit=40)
"""What one turn may use, so that a model that goes in circles comes to an end."""


_PUT_AWAY_IN_S = 5.0
"""Seconds a turn that broke off may take to be kept."""


@dataclass
class Turn:
    """What the user said, where, and with which tools it may be answered."""

    agent: ChatAgent
    toolbox: Toolbox
    thread: Thread
    message: str
    _run: AgentRunEvents[str] | None = field(default=None, init=False)
    _is_over: bool = field(default=False, init=False)

    async def events(self) -> AsyncIterator[ChatEvent]:
        """Run the agent. A failure is the last event, not an exception."""
        stream = _Stream(thread_id=self.thread.id, run_id=str(uuid4()), toolbox=self.toolbox)
        async for event in stream.transform_stream(self._running(), on_complete=self._keep):
            if (seen := chat_event(event)) is not None:
                yield seen

    async def end(self) -> None:
        """Stop what is still going on. What was said of a turn that failed, or that the user stopped, is kept."""
        with anyio.move_on_after(_PUT_AWAY_IN_S, shield=True):
            if self._run is not None:
                await self._run.aclose()
            if not self._is_over:
                self._is_over = True
                await self.thread.break_off(*self._said())

    def _said(self) -> tuple[list[ModelMessage], RunUsage]:
        """What there is of this turn: at least what the user said."""
        asked: list[ModelMessage] = [ModelRequest(parts=[UserPromptPart(self.message)])]
        if self._run is None:
            return asked, RunUsage()
        try:
            return self._run.new_messages() or asked, self._run.usage
        except UserError:  # it had not really begun
            return asked, RunUsage()

    async def _keep(self, result: AgentRunResult[str]) -> None:
        self._is_over = True
        await self.thread.save(result)

    async def _running(self) -> AsyncIterator[NativeEvent]:
        async with self.agent.run_stream_events(
            self.message,
            conversation=self.thread.conversation,
            toolsets=self.toolbox.toolsets(),
            usage_limits=_LIMITS,
        ) as self._run:
            async for event in self._run:
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
