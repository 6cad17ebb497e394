"""The same conversation goes the same way through every adapter, and each time it is held."""

from __future__ import annotations

from typing import Any

import pytest
from anyio.from_thread import start_blocking_portal
from pydantic_ai import Agent, AgentRunResultEvent
from pydantic_ai.exceptions import ToolFailed
from pydantic_ai.messages import ModelMessage, TextPart, ToolCallPart, ToolReturnPart

from services.api.assistant.agent import make_agent

CONVERSATIONS = {
    "small talk": ["hello"],
    "a ticket": ["show ABC-1"],
    "a ticket that is not there": ["show ABC-404"],
    "somebody's tickets": ["list tickets assigned to ada", "my tickets"],
    "a search and a ticket": ["list open tickets", "show ABC-1", "thank you"],
}


def get_ticket(key: str) -> dict[str, Any]:
    """Read one ticket."""
    if key == "ABC-404":
        raise ToolFailed('{"type":"t","title":"Not Found","status":404,"detail":"There is none.","code":"not_found"}')
    return {
        "id": "tkt_1", "key": key, "title": "A title", "description": "Line one\nline two", "type": "task",
        "status": "open", "statusCategory": "todo", "priority": "low", "reporterId": "usr_1", "assigneeId": None,
        "labels": ["one"], "version": 1, "createdAt": "2026-01-05T09:00:00Z", "updatedAt": "2026-01-05T09:00:00Z",
    }  # fmt: skip


def list_members(query: str, limit: int) -> dict[str, Any]:
    """Look somebody up."""
    found = {"id": "usr_1", "username": query, "displayName": "Ada", "email": "ada@one.example"}
    return {"items": [found][:limit], "nextCursor": None, "total": 1}


def search_tickets(
    limit: int, query: str | None = None, status: list[str] | None = None, assignee: str | None = None
) -> dict[str, Any]:
    """Search tickets."""
    return {"items": [get_ticket("ABC-1"), get_ticket("ABC-2")][:limit], "nextCursor": None, "total": 2}


async def whole(agent: Agent[None, str], text: str, history: list[ModelMessage]) -> list[ModelMessage]:
    return (await agent.run(text, message_history=history)).all_messages()


async def streamed(agent: Agent[None, str], text: str, history: list[ModelMessage]) -> list[ModelMessage]:
    async with agent.run_stream_events(text, message_history=history) as events:
        results = [event.result async for event in events if isinstance(event, AgentRunResultEvent)]
    return results[0].all_messages()


def trajectory(adapter: Any, conversation: list[str]) -> list[tuple[str, object]]:
    """All that was called, returned and said."""

    async def hold() -> list[ModelMessage]:
        agent, messages = make_agent("sim"), list[ModelMessage]()
        agent.tool_plain(get_ticket)
        agent.tool_plain(search_tickets)
        agent.tool_plain(list_members)
        for text in conversation:
            messages = await adapter(agent, text, messages)
        return messages

    with start_blocking_portal() as portal:
        messages = portal.call(hold)
    seen: list[tuple[str, object]] = []
    for part in (part for message in messages for part in message.parts):
        match part:
            case ToolCallPart():
                seen.append((f"call {part.tool_call_id} {part.tool_name}", part.args_as_dict()))
            case ToolReturnPart():
                seen.append((f"{part.outcome} {part.tool_call_id}", part.content))
            case TextPart(content=text) if text:
                seen.append(("say", text))
    return seen


@pytest.mark.parametrize("conversation", CONVERSATIONS.values(), ids=CONVERSATIONS)
def test_streaming_or_not_makes_no_difference(conversation: list[str]) -> None:
    assert trajectory(streamed, conversation) == trajectory(whole, conversation)


@pytest.mark.parametrize("conversation", CONVERSATIONS.values(), ids=CONVERSATIONS)
def test_the_same_words_lead_to_the_same_steps_with_the_same_ids(conversation: list[str]) -> None:
    first = trajectory(whole, conversation)
    assert first == trajectory(whole, conversation)
    ids = [step for step, _ in first if step.startswith("call")]
    assert [step.split()[1] for step in ids] == [f"sim_{number}" for number in range(1, len(ids) + 1)]


def test_the_failed_call_is_told_and_the_run_ends_well() -> None:
    *_, (kind, content), (say, text) = trajectory(whole, CONVERSATIONS["a ticket that is not there"])
    assert kind == "failed sim_1"
    assert say == "say"
    assert "There is none." in str(content)
    assert "There is none." in str(text)
