"""What the assistant's routes take and give, besides the events of a run."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, StringConstraints

from services.api.parameters import NO_NUL
from services.api.views import In, NextCursor, Out, Total, Version

ThreadId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]


class Assistant(Out):
    """Who answers in the chat, and what it may use for this caller."""

    model: str
    simulated: bool = Field(description="True if no language model is behind it: the answers follow fixed rules.")
    tools: list[str] = Field(description="Names of the tools of the services the caller's token is good for.")
    uses: list[str] = Field(description="Those of `tools` it makes use of: all, but of a simulated model only some.")
    suggestions: list[str] = Field(description="Things to say to begin with, which it can answer with `uses`.")


class ChatRequest(In):
    """The next thing the user says."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"message": "Which tickets are open?"}]})

    thread_id: ThreadId | None = Field(
        default=None, description="`threadId` of an earlier RUN_STARTED, to continue; null begins a conversation."
    )
    message: Annotated[str, StringConstraints(min_length=1, max_length=4000, pattern=NO_NUL)]


class ToolCall(Out):
    """A tool the assistant used on behalf of the user."""

    id: str
    name: str
    arguments: dict[str, Any] | None = Field(description="Null if the turn broke off in the middle of them.")
    outcome: Literal["success", "failed", "denied", "interrupted"] = Field(
        description="`interrupted`: the turn broke off; whether the tool did its work is not known."
    )
    result: str | None = Field(description="What the tool answered: JSON, or the text of its error.")


class Message(Out):
    """Something that was said."""

    id: str
    role: Literal["user", "assistant"]
    text: str = Field(description="Of the assistant: Markdown.")
    tool_calls: list[ToolCall]
    at: datetime
    interrupted: bool = Field(description="The assistant was stopped, or failed, before it had said all of it.")


class ConversationSummary(Out):
    """A conversation, without what was said in it."""

    id: str = Field(description="Continue it with this as `threadId`.")
    title: str = Field(description="The first words that were said.")
    created_at: datetime
    updated_at: datetime
    message_count: Annotated[int, Field(ge=0)]


class ConversationPage(Out):
    """One page of conversations."""

    items: list[ConversationSummary]
    next_cursor: NextCursor
    total: Total


class Conversation(ConversationSummary):
    """A conversation and all that was said in it, the first message first."""

    version: Version
    messages: list[Message]
