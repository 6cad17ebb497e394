"""What the assistant's routes take and give, besides the events of a run."""

from __future__ import annotations

from typing import Annotated

from pydantic import ConfigDict, Field, StringConstraints

from services.api.parameters import NO_NUL
from services.api.views import In, Out

ThreadId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]


class Assistant(Out):
    """Who answers in the chat, and what it may use for this caller."""

    model: str
    simulated: bool = Field(description="True if no language model is behind it: the answers follow fixed rules.")
    tools: list[str] = Field(description="Names of the tools of the services the caller's token is good for.")


class ChatRequest(In):
    """The next thing the user says."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"message": "Which tickets are open?"}]})

    thread_id: ThreadId | None = Field(
        default=None, description="`threadId` of an earlier RUN_STARTED, to continue; null begins a conversation."
    )
    message: Annotated[str, StringConstraints(min_length=1, max_length=4000, pattern=NO_NUL)]
