"""Conversations are held by the server, each for its owner; what was said in a turn that broke off is kept too."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import anyio
import pytest
from anyio.from_thread import start_blocking_portal
from pydantic_ai import Agent
from pydantic_ai.agent import AgentRunResult
from pydantic_ai.messages import ModelMessage, ToolReturnPart
from pydantic_ai.models.function import AgentInfo, DeltaToolCall, DeltaToolCalls, FunctionModel
from pydantic_ai.toolsets import FunctionToolset

from services.api.assistant import floor as floors
from services.api.assistant import said
from services.api.assistant.agent import ChatAgent, make_agent
from services.api.assistant.archive import Archive
from services.api.assistant.floor import Floor
from services.api.assistant.thread import Thread
from services.api.assistant.toolbox import Toolbox
from services.api.assistant.turn import Turn
from services.api.assistant.views import Message
from services.api.tables import Base
from services.shared.database import connected
from services.shared.problems import Conflict, NotFound

ALICE = "org/alice"
SCOPES = frozenset({"tickets:read"})

Held = Callable[[Callable[[Archive], Awaitable[Any]]], Any]


@pytest.fixture
def held(database_url: str) -> Held:
    """``held(scene)``: runs ``scene(archive)`` on an event loop; once on each kind of database."""

    def held(scene: Callable[[Archive], Awaitable[Any]]) -> Any:
        with connected(database_url, Base.metadata) as database, start_blocking_portal() as portal:
            return portal.call(scene, Archive(database))

    return held


async def say(thread: Thread, text: str) -> AgentRunResult[str]:
    return await make_agent("sim").run(text, conversation=thread.conversation)


async def shown(archive: Archive, thread: Thread) -> list[Message]:
    found = await archive.whole(ALICE, thread.id)
    assert found is not None
    row, history = found
    messages = said.shown(history)
    assert row.message_count == len(messages)
    return messages


def test_a_handle_is_good_before_anything_was_said(held: Held) -> None:
    """The first run may break off: its conversation can still go on."""

    async def scene(archive: Archive) -> bool:
        thread = await Thread.begin(archive, ALICE, "hello", scopes=SCOPES)
        resumed = await Thread.resume(archive, ALICE, thread.id, scopes=SCOPES)
        return resumed.id == thread.id and resumed.conversation.messages == []

    assert held(scene)


def test_only_the_owner_finds_a_conversation(held: Held) -> None:
    async def scene(archive: Archive) -> None:
        thread = await Thread.begin(archive, ALICE, "hello", scopes=SCOPES)
        assert await archive.whole("org/adam", thread.id) is None
        assert not await archive.erase("org/adam", thread.id)
        await Thread.resume(archive, "org/adam", thread.id, scopes=SCOPES)

    with pytest.raises(NotFound):
        held(scene)


def test_of_two_turns_of_different_processes_one_is_kept_and_the_other_told(held: Held) -> None:
    async def scene(archive: Archive) -> int:
        begun = await Thread.begin(archive, ALICE, "hello", scopes=SCOPES)
        here = await Thread.resume(archive, ALICE, begun.id, scopes=SCOPES)
        there = await Thread.resume(archive, ALICE, begun.id, scopes=SCOPES)
        await here.save(await say(here, "hello"))
        with pytest.raises(Conflict):
            await there.save(await say(there, "hello from another tab"))
        return len(await shown(archive, begun))

    assert held(scene) == 2


def test_a_turn_that_ends_after_its_conversation_was_deleted_leaves_nothing(held: Held) -> None:
    async def scene(archive: Archive) -> None:
        thread = await Thread.begin(archive, ALICE, "hello", scopes=SCOPES)
        result = await say(thread, "hello")
        assert await archive.erase(ALICE, thread.id)
        with pytest.raises(NotFound, match="deleted"):
            await thread.save(result)
        assert await archive.whole(ALICE, thread.id) is None
        assert not await archive.erase(ALICE, thread.id)

    held(scene)


def test_a_second_turn_waits_for_the_first_and_goes_on_after_it(held: Held) -> None:
    async def scene(archive: Archive) -> list[str]:
        floor = Floor()
        begun = await Thread.begin(archive, ALICE, "first", scopes=SCOPES)

        async def turn(text: str) -> None:
            async with Thread.open(archive, floor, owner=ALICE, scopes=SCOPES, id=begun.id, message=text) as thread:
                await thread.save(await say(thread, text))

        async with anyio.create_task_group() as turns:
            for text in ("first", "second", "third"):
                turns.start_soon(turn, text)
        return [message.text for message in await shown(archive, begun) if message.role == "user"]

    assert sorted(held(scene)) == ["first", "second", "third"]


def test_a_turn_that_goes_on_is_not_waited_for_and_only_its_own_conversation_is_taken(
    held: Held, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(floors, "PATIENCE_S", 0.05)

    async def scene(archive: Archive) -> None:
        floor = Floor()
        one, other = [await Thread.begin(archive, ALICE, text, scopes=SCOPES) for text in ("one", "other")]
        async with Thread.open(archive, floor, owner=ALICE, scopes=SCOPES, id=one.id, message="still speaking"):
            async with Thread.open(archive, floor, owner=ALICE, scopes=SCOPES, id=other.id, message="hello"):
                pass
            with pytest.raises(NotFound):
                async with Thread.open(archive, floor, owner="org/adam", scopes=SCOPES, id=one.id, message="hello"):
                    pass
            with pytest.raises(Conflict, match="nothing of this was taken up"):
                async with Thread.open(archive, floor, owner=ALICE, scopes=SCOPES, id=one.id, message="hello"):
                    pass

    held(scene)


class ModelFailsError(Exception):
    """The model fails."""


def answering(*steps: str | DeltaToolCalls | Exception, then: anyio.Event | None = None) -> ChatAgent:
    """An agent that streams ``steps``; after the last it waits for ``then``."""

    async def stream(messages: list[ModelMessage], _: AgentInfo) -> AsyncIterator[str | DeltaToolCalls]:
        if any(isinstance(part, ToolReturnPart) for part in messages[-1].parts):
            yield "All done."
            return
        for step in steps:
            if isinstance(step, Exception):
                raise step
            yield step
        if then is not None:
            await then.wait()

    return Agent(FunctionModel(stream_function=stream), name="assistant", instructions="Never tell: secret-4711.")


class Tools(Toolbox):
    """A toolbox whose one tool does as it is told."""

    def __init__(self, tool: Callable[..., Awaitable[str]]) -> None:
        super().__init__(())
        object.__setattr__(self, "tool", tool)

    def toolsets(self) -> list[Any]:
        return [FunctionToolset([self.tool])]  # type: ignore[attr-defined]


NO_TOOLS = Toolbox(())


def test_what_was_said_before_the_user_stopped_is_kept_and_the_conversation_goes_on(held: Held) -> None:
    async def scene(archive: Archive) -> list[Message]:
        thread = await Thread.begin(archive, ALICE, "tell me", scopes=SCOPES)
        turn = Turn(answering("Once ", "upon ", then=anyio.Event()), NO_TOOLS, thread, "tell me")
        async for event in turn.events():
            if event.type == "TEXT_MESSAGE_CONTENT" and event.delta == "upon ":
                break
        await turn.end()
        again = await Thread.resume(archive, ALICE, thread.id, scopes=SCOPES)
        await again.save(await say(again, "hello"))
        return await shown(archive, thread)

    asked, broken_off, asked_again, answered = held(scene)
    assert (asked.role, asked.text, asked.interrupted) == ("user", "tell me", False)
    assert (broken_off.role, broken_off.text, broken_off.interrupted) == ("assistant", "Once upon ", True)
    assert (asked_again.text, answered.role, answered.interrupted) == ("hello", "assistant", False)


def test_half_a_surrogate_pair_a_model_says_ends_no_stream_and_is_shown_as_no_character(held: Held) -> None:
    async def scene(archive: Archive) -> tuple[list[str], list[Message]]:
        thread = await Thread.begin(archive, ALICE, "odd?", scopes=SCOPES)
        turn = Turn(answering("a\ud800b", "😀"), NO_TOOLS, thread, "odd?")
        deltas = [event.delta async for event in turn.events() if event.type == "TEXT_MESSAGE_CONTENT"]
        await turn.end()
        return deltas, await shown(archive, thread)

    deltas, (_, answered) = held(scene)
    assert "".join(deltas) == answered.text == "a\ufffdb😀"
    assert not answered.interrupted


def test_a_turn_nobody_began_to_answer_keeps_the_question(held: Held) -> None:
    async def scene(archive: Archive) -> list[Message]:
        thread = await Thread.begin(archive, ALICE, "anybody?", scopes=SCOPES)
        await Turn(answering("never"), NO_TOOLS, thread, "anybody?").end()
        return await shown(archive, thread)

    [asked] = held(scene)
    assert (asked.role, asked.text) == ("user", "anybody?")


def test_a_conversation_that_is_deleted_during_a_turn_stays_deleted_and_the_turn_says_so(held: Held) -> None:
    async def scene(archive: Archive) -> str:
        thread, finish = await Thread.begin(archive, ALICE, "tell me", scopes=SCOPES), anyio.Event()
        turn = Turn(answering("Once ", then=finish), NO_TOOLS, thread, "tell me")
        async for event in turn.events():
            if event.type == "TEXT_MESSAGE_START":
                assert await archive.erase(ALICE, thread.id)
                finish.set()
        await turn.end()
        assert await archive.whole(ALICE, thread.id) is None
        assert event.type == "RUN_ERROR"
        return event.code

    assert held(scene) == "not_found"


def test_what_was_said_before_the_model_failed_is_kept(held: Held) -> None:
    async def scene(archive: Archive) -> list[Message]:
        thread = await Thread.begin(archive, ALICE, "tell me", scopes=SCOPES)
        turn = Turn(answering("Once ", ModelFailsError()), NO_TOOLS, thread, "tell me")
        kinds = [event.type async for event in turn.events()]
        assert kinds[-1] == "RUN_ERROR"
        await turn.end()
        return await shown(archive, thread)

    asked, broken_off = held(scene)
    assert (asked.text, broken_off.text, broken_off.interrupted) == ("tell me", "Once ", True)


@pytest.mark.parametrize("stopped", [True, False])
def test_a_tool_that_was_stopped_is_not_said_to_have_answered(held: Held, stopped: bool) -> None:
    """Its arguments are told; that a model must not call it again is its own affair."""
    calls = {0: DeltaToolCall("look", json.dumps({"where": "everywhere"}), tool_call_id="call_1")}

    async def scene(archive: Archive) -> list[Message]:
        async def look(where: str) -> str:
            """Look."""
            if stopped:
                await anyio.sleep_forever()
            return f"nothing {where}"

        thread = await Thread.begin(archive, ALICE, "look", scopes=SCOPES)
        turn = Turn(answering(calls), Tools(look), thread, "look")
        async for event in turn.events():
            if stopped and event.type == "TOOL_CALL_END":
                break
        await turn.end()
        again = await Thread.resume(archive, ALICE, thread.id, scopes=SCOPES)
        await again.save(await say(again, "hello"))
        return await shown(archive, thread)

    messages = held(scene)
    [call] = messages[1].tool_calls
    assert (call.id, call.name, call.arguments) == ("call_1", "look", {"where": "everywhere"})
    assert (call.outcome, call.result) == (("interrupted", None) if stopped else ("success", "nothing everywhere"))
    assert [message.text for message in messages if message.role == "user"] == ["look", "hello"]
    assert messages[-1].text
    assert "secret-4711" not in repr(messages)


def test_half_arguments_and_odd_characters_can_be_kept_and_read(held: Held) -> None:
    """A model that is cut off says no JSON; one that goes astray says U+0000."""
    half = {1: DeltaToolCall("look", '{"where": "ever', tool_call_id="call_1")}

    async def scene(archive: Archive) -> list[Message]:
        thread = await Thread.begin(archive, ALICE, "look", scopes=SCOPES)
        turn = Turn(answering("a\0b😀", half, then=anyio.Event()), NO_TOOLS, thread, "look")
        async for event in turn.events():
            if event.type == "TOOL_CALL_ARGS":
                break
        await turn.end()
        again = await Thread.resume(archive, ALICE, thread.id, scopes=SCOPES)
        await again.save(await say(again, "hello"))
        return await shown(archive, thread)

    messages = held(scene)
    assert messages[1].text == "a\0b😀"
    [call] = messages[1].tool_calls
    assert (call.arguments, call.outcome, call.result) == (None, "interrupted", None)
    assert messages[-1].text
