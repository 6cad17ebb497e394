"""What `POST /api/chat` streams: the part of the AG-UI protocol (1.0) that the interface draws.

The document names each event, so that a generated client has one closed union to switch over.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, TypeAdapter
from typing_extensions import TypeAliasType

from services.api.assistant.characters import well_formed
from services.api.views import Out


class RunStarted(Out):
    """The request was taken up. `threadId` continues the conversation."""

    type: Literal["RUN_STARTED"]
    thread_id: str
    run_id: str


class TextMessageStart(Out):
    """The assistant begins to say something; nothing may follow before the end."""

    type: Literal["TEXT_MESSAGE_START"]
    message_id: str
    role: Literal["assistant"]


class TextMessageContent(Out):
    """The next piece of what the assistant says: Markdown."""

    type: Literal["TEXT_MESSAGE_CONTENT"]
    message_id: str
    delta: str


class TextMessageEnd(Out):
    """The assistant has said it."""

    type: Literal["TEXT_MESSAGE_END"]
    message_id: str


class ToolCallStart(Out):
    """The assistant calls a tool on behalf of the user."""

    type: Literal["TOOL_CALL_START"]
    tool_call_id: str
    tool_call_name: str


class ToolCallArgs(Out):
    """The next piece of the arguments: joined, they are a JSON object."""

    type: Literal["TOOL_CALL_ARGS"]
    tool_call_id: str
    delta: str


class ToolCallEnd(Out):
    """The arguments are complete."""

    type: Literal["TOOL_CALL_END"]
    tool_call_id: str


class ToolCallResult(Out):
    """What the tool answered: JSON, or the text of its error."""

    type: Literal["TOOL_CALL_RESULT"]
    message_id: str
    tool_call_id: str
    content: str


class RunFinished(Out):
    """All is said."""

    type: Literal["RUN_FINISHED"]
    thread_id: str
    run_id: str


class RunError(Out):
    """The run broke off. `code` is a problem code."""

    type: Literal["RUN_ERROR"]
    message: str
    code: str


ChatEvent = TypeAliasType(
    "ChatEvent",
    Annotated[
        RunStarted
        | TextMessageStart
        | TextMessageContent
        | TextMessageEnd
        | ToolCallStart
        | ToolCallArgs
        | ToolCallEnd
        | ToolCallResult
        | RunFinished
        | RunError,
        Field(discriminator="type"),
    ],
)

_WIRE: TypeAdapter[Any] = TypeAdapter(ChatEvent)
_KNOWN = frozenset(
    {
        "RUN_STARTED",
        "TEXT_MESSAGE_START",
        "TEXT_MESSAGE_CONTENT",
        "TEXT_MESSAGE_END",
        "TOOL_CALL_START",
        "TOOL_CALL_ARGS",
        "TOOL_CALL_END",
        "TOOL_CALL_RESULT",
        "RUN_FINISHED",
        "RUN_ERROR",
    }
)


def chat_event(event: BaseModel) -> ChatEvent | None:
    """An AG-UI event as this interface sends it, or None for one of the kinds it does not use."""
    dumped = event.model_dump(mode="python", by_alias=True, exclude_none=True)
    wire = {name: well_formed(value) if isinstance(value, str) else value for name, value in dumped.items()}
    return _WIRE.validate_python(wire) if wire["type"] in _KNOWN else None
