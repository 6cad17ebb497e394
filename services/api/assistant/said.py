"""A conversation as a person sees it: no instructions, no reasoning, nothing of tokens."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import datetime

from pydantic_ai.conversation_store import ConversationEntry
from pydantic_ai.messages import (
    ModelMessage,
    ModelRequest,
    ModelResponse,
    RetryPromptPart,
    TextPart,
    ToolCallPart,
    ToolReturnPart,
    UserPromptPart,
)

from services.api.assistant.views import Message, ToolCall

LONGEST_TITLE = 80
"""Characters."""

_UNTITLED = "Conversation"


def title(text: str) -> str:
    """The first words of ``text``, on one line and without control characters."""
    words = "".join(character if character.isprintable() else " " for character in text[: LONGEST_TITLE * 10]).split()
    said = " ".join(words)
    if len(said) <= LONGEST_TITLE:
        return said or _UNTITLED
    beginning, space, _ = said[:LONGEST_TITLE].rpartition(" ")
    return f"{beginning if space else said[: LONGEST_TITLE - 1]}…"


def is_shown(message: ModelMessage) -> bool:
    """Whether a person sees ``message``: what a tool returned is shown with its call."""
    return isinstance(message, ModelResponse) or any(isinstance(part, UserPromptPart) for part in message.parts)


def shown(history: Sequence[ConversationEntry]) -> list[Message]:
    """The messages a person sees of a whole ``history``."""
    following = [*(entry.message for entry in history[1:]), None]
    return [_shown(entry, after) for entry, after in zip(history, following, strict=True) if is_shown(entry.message)]


def _shown(entry: ConversationEntry, after: ModelMessage | None) -> Message:
    message = entry.message
    if isinstance(message, ModelRequest):
        return Message(
            id=entry.id, role="user", text=_asked(message), tool_calls=[], at=_asked_at(message), interrupted=False
        )
    return Message(
        id=entry.id,
        role="assistant",
        text="".join(part.content for part in message.parts if isinstance(part, TextPart)),
        tool_calls=list(_calls(message, after)),
        at=message.timestamp,
        interrupted=message.state == "interrupted",
    )


def _prompts(request: ModelRequest) -> list[UserPromptPart]:
    return [part for part in request.parts if isinstance(part, UserPromptPart)]


def _asked(request: ModelRequest) -> str:
    return "\n".join(part.content for part in _prompts(request) if isinstance(part.content, str))


def _asked_at(request: ModelRequest) -> datetime:
    return _prompts(request)[0].timestamp


def _calls(response: ModelResponse, after: ModelMessage | None) -> Iterator[ToolCall]:
    returned = {
        part.tool_call_id: part
        for part in (after.parts if isinstance(after, ModelRequest) else ())
        if isinstance(part, ToolReturnPart | RetryPromptPart)
    }
    for part in response.parts:
        if isinstance(part, ToolCallPart):
            yield _call(part, returned.get(part.tool_call_id))


def _call(call: ToolCallPart, returned: ToolReturnPart | RetryPromptPart | None) -> ToolCall:
    told = {"id": call.tool_call_id, "name": call.tool_name, "arguments": _arguments(call)}
    match returned:
        case ToolReturnPart(outcome="success" | "denied" | "interrupted" as outcome):
            return ToolCall(**told, outcome=outcome, result=returned.model_response_str(wrap_if_error=False))
        case ToolReturnPart():
            return ToolCall(**told, outcome="failed", result=returned.model_response_str(wrap_if_error=False))
        case RetryPromptPart():
            return ToolCall(**told, outcome="failed", result=returned.model_response())
        case _:
            return ToolCall(**told, outcome="interrupted", result=None)


def _arguments(call: ToolCallPart) -> dict[str, object] | None:
    """None where the model broke off in the middle of them."""
    if isinstance(call.args, str):
        try:
            told = json.loads(call.args or "{}")
        except ValueError:
            return None
        return told if isinstance(told, dict) else None
    return dict(call.args or {})
