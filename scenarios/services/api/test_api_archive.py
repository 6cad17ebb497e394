"""The store of conversations keeps what pydantic-ai's own store in memory keeps, on each kind of database."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from anyio.from_thread import start_blocking_portal
from pydantic_ai.conversation import Conversation
from pydantic_ai.conversation_store import (
    ConversationConflict,
    ConversationRecord,
    ConversationStore,
    InMemoryConversationStore,
)
from pydantic_ai.messages import ModelMessage, ModelRequest, ModelResponse, TextPart, UserPromptPart
from sqlalchemy import func, select

from scenarios.services import schemas
from services.api.assistant.archive import Archive
from services.api.tables import Base, StoredEntry
from services.shared.database import connected

Stored = Callable[[Callable[[ConversationStore], Awaitable[Any]]], Any]


@pytest.fixture
def in_both(database_url: str) -> Stored:
    """``in_both(scene)``: what ``scene(store)`` returns with our store, and it must be the same with theirs."""

    def in_both(scene: Callable[[ConversationStore], Awaitable[Any]]) -> Any:
        with connected(database_url, Base.metadata) as database, start_blocking_portal() as portal:
            ours = portal.call(scene, Archive(database))
            assert ours == portal.call(scene, InMemoryConversationStore())
            return ours

    return in_both


def turn(question: str, answer: str) -> list[ModelMessage]:
    return [ModelRequest(parts=[UserPromptPart(question)]), ModelResponse(parts=[TextPart(answer)])]


def texts(conversation: Conversation | None) -> list[str] | None:
    if conversation is None:
        return None
    return [str(getattr(part, "content", "")) for message in conversation.messages for part in message.parts]


async def talk(store: ConversationStore, id: str, *turns: list[ModelMessage]) -> Conversation:  # noqa: A002
    conversation = Conversation(messages=[], conversation_id=id)
    for each in turns:
        conversation.messages = [*conversation.messages, *each]
        await store.save(conversation, scope="me")
    return conversation


def test_a_conversation_grows_and_is_read_whole_or_by_its_end(in_both: Stored) -> None:
    async def scene(store: ConversationStore) -> Any:
        await talk(store, "c1", turn("one", "1"), turn("two", "2"))
        return [texts(await store.load("c1", limit=limit)) for limit in (None, 3, 0)]

    assert in_both(scene) == [["one", "1", "two", "2"], ["1", "two", "2"], []]


def test_nobody_saves_over_what_they_have_not_read(in_both: Stored) -> None:
    async def scene(store: ConversationStore) -> Any:
        await talk(store, "c1", turn("one", "1"))
        here, there = await store.load("c1"), await store.load("c1")
        assert here is not None
        assert there is not None
        here.messages = [*here.messages, *turn("two", "2")]
        await store.save(here)
        there.messages = [*there.messages, *turn("three", "3")]
        for late in (there, Conversation(messages=turn("four", "4"), conversation_id="c1")):
            with pytest.raises(ConversationConflict):
                await store.save(late)
        with pytest.raises(ConversationConflict):
            await store.save(here, scope="somebody else")
        return texts(await store.load("c1"))

    assert in_both(scene) == ["one", "1", "two", "2"]


def test_a_conversation_that_went_another_way_finds_back(in_both: Stored) -> None:
    async def scene(store: ConversationStore) -> Any:
        conversation = await talk(store, "c1", turn("one", "1"), turn("two", "2"))
        left = (await store.load_entries("c1") or [])[-1].id
        other = await store.branch("c1", at=2, expected_revision=conversation.revision)
        other.messages = [*other.messages, *turn("instead", "3")]
        await store.save(other)
        there = texts(await store.load("c1"))
        await store.branch("c1", from_entry=left, expected_revision=other.revision)
        return there, texts(await store.load("c1"))

    assert in_both(scene) == (["one", "1", "instead", "3"], ["one", "1", "two", "2"])


def test_a_fork_outlives_what_it_was_forked_from(in_both: Stored) -> None:
    async def scene(store: ConversationStore) -> Any:
        await talk(store, "c1", turn("one", "1"), turn("two", "2"))
        fork = await store.fork("c1", at=2, new_conversation_id="c2")
        fork.messages = [*fork.messages, *turn("apart", "3")]
        await store.save(fork)
        await store.delete("c1")
        records = await store.list_conversations(scope="me")
        return texts(await store.load("c1")), texts(await store.load("c2")), [each.conversation_id for each in records]

    assert in_both(scene) == (None, ["one", "1", "apart", "3"], ["c2"])


def test_the_last_of_its_line_takes_all_that_was_said_with_it(database_url: str) -> None:
    async def scene(store: ConversationStore) -> None:
        await talk(store, "c1", turn("one", "1"))
        await store.fork("c1", new_conversation_id="c2")
        await talk(store, "other", turn("hello", "hi"))
        await store.delete("c1")
        await store.delete("c2")

    with connected(database_url, Base.metadata) as database:
        with start_blocking_portal() as portal:
            portal.call(scene, Archive(database))
        with database.reading() as session:
            assert session.scalar(select(func.count()).select_from(StoredEntry)) == 2


def test_half_a_surrogate_pair_becomes_the_sign_for_what_is_no_character(database_url: str) -> None:
    async def scene(store: ConversationStore) -> list[str] | None:
        await talk(store, "c1", turn("odd?", "a\ud800b\0c😀"))
        return texts(await store.load("c1"))

    with connected(database_url, Base.metadata) as database, start_blocking_portal() as portal:
        assert portal.call(scene, Archive(database)) == ["odd?", "a\ufffdb\0c😀"]


def test_the_revisions_lead_to_the_tables_of_the_present_code(new_database: Callable[[], str]) -> None:
    upgraded, fresh = schemas.both_ways(new_database, Base.metadata, rows=())
    assert upgraded == fresh
    assert fresh.keys() == {*Base.metadata.tables, "api_revision"}


def test_a_conversation_from_before_needs_all_scopes_that_its_turns_may_have_had(
    new_database: Callable[[], str],
) -> None:
    """Nobody noted them then."""
    url, tables = new_database(), Base.metadata
    row = (
        "INSERT INTO conversations (id, owner, title, created_at, updated_at, message_count, version, revision, line,"
        " carried) VALUES ('c1', 'org/me', 'Hi', '2026-01-01', '2026-01-01', 0, 1, 'r1', 'c1', '{}')"
    )
    schemas.made_by_revision(url, tables, "0001", rows=[row])
    with connected(url, tables) as database, start_blocking_portal() as portal:
        found = portal.call(Archive(database).whole, "org/me", "c1")
    assert found is not None
    assert found[0].needs == {"tickets:read", "orgs:read"}


def test_a_thousand_conversations_are_paged_through_each_once_even_if_of_the_same_moment(database_url: str) -> None:
    at = datetime(2026, 3, 1, 12, tzinfo=UTC)
    begun = [f"c{number}" for number in range(1000)]

    async def scene(archive: Archive) -> list[str]:
        for id in begun:  # noqa: A001
            record = ConversationRecord(conversation_id=id, head_id=None, scope="me", updated_at=at)
            await archive.write_record(record, expected_revision=None)
        await archive.begin(owner="you", title="Hello", scopes=frozenset())
        found, place = list[str](), None
        while True:
            page = await archive.page("me", after=place, limit=99)
            found += [each.id for each in page.items]
            assert page.total == 1000
            if (place := page.end) is None:
                return found

    with connected(database_url, Base.metadata) as database, start_blocking_portal() as portal:
        assert portal.call(scene, Archive(database)) == sorted(begun, reverse=True)
