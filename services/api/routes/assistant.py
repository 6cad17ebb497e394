"""The assistant: what it is, and talking to it."""

from __future__ import annotations

from collections.abc import AsyncIterator

from fastapi import APIRouter
from fastapi.sse import EventSourceResponse

from services.api.assistant import rules
from services.api.assistant.agent import SIMULATED
from services.api.assistant.events import ChatEvent
from services.api.assistant.views import Assistant
from services.api.dependencies import AssistantTools, ChatTurn, ModelName
from services.api.event_route import EventRoute
from services.shared.problems import Conflict, Malformed, NotFound, TooLarge, UnsupportedMediaType, problems

router = APIRouter(prefix="/api", tags=["assistant"], route_class=EventRoute)


@router.get("/assistant")
async def get_assistant(toolbox: AssistantTools, model: ModelName) -> Assistant:
    """Which model answers, with which tools, and what it can be asked."""
    simulated, tools = model == SIMULATED, await toolbox.names()
    return Assistant(
        model=model,
        simulated=simulated,
        tools=tools,
        uses=rules.used(tools) if simulated else tools,
        suggestions=rules.suggestions(tools),
    )


@router.post(
    "/chat",
    response_class=EventSourceResponse,
    responses=problems(Malformed, NotFound, Conflict, TooLarge, UnsupportedMediaType),
)
async def chat(turn: ChatTurn) -> AsyncIterator[ChatEvent]:
    """Say something to the assistant; its answer is streamed as AG-UI events.

    A failure after the stream began is an event of type RUN_ERROR.
    """
    async for event in turn.events():
        yield event
