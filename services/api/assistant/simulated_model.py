"""The rules as a model that pydantic-ai can run: messages are translated on the way in, steps on the way out."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Iterator

from pydantic_ai.messages import (
    ModelMessage,
    ModelResponse,
    TextPart,
    ToolCallPart,
    ToolReturnPart,
    UserPromptPart,
)
from pydantic_ai.models.function import AgentInfo, DeltaToolCall, DeltaToolCalls, FunctionModel

from services.api.assistant.plan import plan
from services.api.assistant.steps import AssistantSaid, Call, Message, Say, Step, ToolReturned, UserSaid

_WORDS = re.compile(r"\S*\s*")


def simulated_model() -> FunctionModel:
    """A model named ``sim``: deterministic, and as ready to stream as not to."""
    return FunctionModel(_respond, stream_function=_stream, model_name="sim")


def _respond(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
    step = _step(messages, info)
    if isinstance(step, Say):
        return ModelResponse(parts=[TextPart(step.text)])
    ids = _call_ids(messages)
    return ModelResponse(parts=[ToolCallPart(call.tool, dict(call.arguments), next(ids)) for call in step])


async def _stream(messages: list[ModelMessage], info: AgentInfo) -> AsyncIterator[str | DeltaToolCalls]:
    step = _step(messages, info)
    if isinstance(step, Say):
        for word in filter(None, _WORDS.findall(step.text)):
            yield word
        return
    ids = _call_ids(messages)
    for index, call in enumerate(step):
        yield {index: DeltaToolCall(call.tool, json.dumps(dict(call.arguments)), tool_call_id=next(ids))}


def _step(messages: list[ModelMessage], info: AgentInfo) -> Step:
    return plan(list(_told(messages)), frozenset(tool.name for tool in info.function_tools))


def _told(messages: list[ModelMessage]) -> Iterator[Message]:
    calls: dict[str, Call] = {}
    for message in messages:
        for part in message.parts:
            match part:
                case UserPromptPart(content=str(text)):
                    yield UserSaid(text)
                case TextPart(content=text):
                    yield AssistantSaid(text)
                case ToolCallPart():
                    calls[part.tool_call_id] = Call(part.tool_name, part.args_as_dict())
                case ToolReturnPart():
                    call = calls.get(part.tool_call_id, Call(part.tool_name))
                    yield ToolReturned(call, part.content, failed=part.outcome != "success")


def _call_ids(messages: list[ModelMessage]) -> Iterator[str]:
    """``sim_1``, ``sim_2`` …: unique in a conversation, and the same when it is held again."""
    number = sum(isinstance(part, ToolCallPart) for message in messages for part in message.parts)
    while True:
        number += 1
        yield f"sim_{number}"
