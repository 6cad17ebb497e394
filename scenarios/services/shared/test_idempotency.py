"""The same call sent twice: one effect, one answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import DeclarativeBase

from services.shared.database import Database, connected
from services.shared.idempotency import KEPT, AnsweredCall, once
from services.shared.permissions import Caller
from services.shared.problems import Conflict, Invalid

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ALICE = Caller("usr_alice", "org_acme", frozenset(), frozenset())


class Base(DeclarativeBase):
    """A service's tables."""


class Answered(AnsweredCall, Base):
    """The only one."""


Send = Callable[..., dict[str, Any]]


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with connected(f"sqlite:///{tmp_path / 'calls.db'}", Base.metadata) as database:
        yield database


@pytest.fixture
def effects() -> list[str]:
    """What was really done, in order."""
    return []


@pytest.fixture
def send(database: Database, effects: list[str]) -> Send:
    def send(
        key: str | None,
        title: str = "Lift",
        *,
        caller: Caller = ALICE,
        tool: str = "create_ticket",
        at: datetime = NOON,
    ) -> dict[str, Any]:
        def act() -> dict[str, Any]:
            effects.append(title)
            return {"number": len(effects), "title": title, "of": ("a", "b")}

        with database.writing() as session:
            payload = {"title": title}
            return once(session, Answered, caller=caller, tool=tool, key=key, payload=payload, at=at, act=act)

    return send


def test_the_same_key_and_payload_have_one_effect_and_equal_answers(send: Send, effects: list[str]) -> None:
    answers = [send("k1") for _ in range(3)]
    assert answers[0] == answers[1] == answers[2] == {"number": 1, "title": "Lift", "of": ["a", "b"]}
    assert effects == ["Lift"]


def test_the_order_of_names_makes_no_other_payload(database: Database, effects: list[str]) -> None:
    def answer() -> dict[str, Any]:
        effects.append("done")
        return {"n": len(effects)}

    told = []
    for payload in ({"a": 1, "b": 2}, {"b": 2, "a": 1}):
        with database.writing() as session:
            told.append(
                once(session, Answered, caller=ALICE, tool="t", key="k", payload=payload, at=NOON, act=answer)
            )  # fmt: skip
    assert told == [{"n": 1}, {"n": 1}]


def test_without_a_key_every_call_acts(send: Send, effects: list[str]) -> None:
    assert [send(None)["number"], send(None)["number"]] == [1, 2]


def test_another_payload_under_the_same_key_is_refused_and_does_nothing(send: Send, effects: list[str]) -> None:
    send("k1")
    with pytest.raises(Invalid, match="used for another call of create_ticket") as refused:
        send("k1", "Stairs")
    assert [flaw.pointer for flaw in refused.value.errors or ()] == ["arguments.idempotency_key"]
    assert effects == ["Lift"]


@pytest.mark.parametrize(
    "other",
    [
        {"caller": Caller("usr_adam", "org_acme", frozenset(), frozenset())},
        {"caller": Caller("usr_alice", "org_globex", frozenset(), frozenset())},
        {"tool": "add_comment"},
    ],
    ids=["another person", "another organization", "another tool"],
)
def test_a_key_is_one_callers_for_one_tool_in_one_organization(
    send: Send, effects: list[str], other: dict[str, Any]
) -> None:
    send("k1")
    assert send("k1", "Stairs", **other)["title"] == "Stairs"
    assert effects == ["Lift", "Stairs"]


def test_an_answer_is_kept_for_a_day_and_not_longer(send: Send, effects: list[str], database: Database) -> None:
    send("k1")
    send("k2", at=NOON + timedelta(hours=1))
    assert send("k1", at=NOON + KEPT - timedelta(seconds=1))["number"] == 1
    assert send("k1", at=NOON + KEPT)["number"] == 3
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Answered)) == 2


def test_a_refusal_is_no_answer_and_the_next_attempt_acts(database: Database, send: Send, effects: list[str]) -> None:
    def refuse() -> dict[str, Any]:
        raise Conflict("Not now.")

    with pytest.raises(Conflict), database.writing() as session:
        once(
            session, Answered, caller=ALICE, tool="create_ticket", key="k1", payload={"title": "Lift"}, at=NOON,
            act=refuse,
        )  # fmt: skip
    assert send("k1")["number"] == 1


def test_effect_and_answer_are_undone_together(database: Database, send: Send, effects: list[str]) -> None:
    def fail_afterwards() -> None:
        with database.writing() as session:
            once(
                session, Answered, caller=ALICE, tool="create_ticket", key="k1", payload={"title": "Lift"}, at=NOON,
                act=lambda: {"number": 0},
            )  # fmt: skip
            raise LookupError

    with pytest.raises(LookupError):
        fail_afterwards()
    assert send("k1")["number"] == 1


def test_a_word_of_any_letters_is_a_payload(send: Send) -> None:
    assert send("k1", "\ud83d 🚒")["title"] == send("k1", "\ud83d 🚒")["title"]
