"""Conversations are held by the server, each for its owner."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from anyio.from_thread import start_blocking_portal
from pydantic_ai.agent import AgentRunResult
from pydantic_ai.conversation_store import ConversationStore, InMemoryConversationStore

from services.api.assistant.agent import make_agent
from services.api.assistant.thread import Thread
from services.shared.problems import Conflict, NotFound


def held(scene: Callable[[ConversationStore], Awaitable[Any]]) -> Any:
    with start_blocking_portal() as portal:
        return portal.call(scene, InMemoryConversationStore())


async def say(thread: Thread, text: str) -> AgentRunResult[str]:
    return await make_agent("sim").run(text, conversation=thread.conversation)


def test_a_handle_is_good_before_anything_was_said() -> None:
    """The first run may break off: its conversation can still go on."""

    async def scene(store: ConversationStore) -> bool:
        thread = await Thread.begin(store, "org/alice")
        resumed = await Thread.resume(store, "org/alice", thread.id)
        return resumed.id == thread.id and resumed.conversation.messages == []

    assert held(scene)


def test_only_the_owner_finds_a_conversation() -> None:
    async def scene(store: ConversationStore) -> None:
        thread = await Thread.begin(store, "org/alice")
        await Thread.resume(store, "org/adam", thread.id)

    with pytest.raises(NotFound):
        held(scene)


def test_of_two_turns_at_the_same_time_one_is_kept_and_the_other_told() -> None:
    async def scene(store: ConversationStore) -> int:
        begun = await Thread.begin(store, "org/alice")
        here = await Thread.resume(store, "org/alice", begun.id)
        there = await Thread.resume(store, "org/alice", begun.id)
        await here.save(await say(here, "hello"))
        with pytest.raises(Conflict):
            await there.save(await say(there, "hello from another tab"))
        return len((await Thread.resume(store, "org/alice", begun.id)).conversation.messages)

    assert held(scene) == 2
