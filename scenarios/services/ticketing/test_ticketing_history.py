"""What has become of a ticket, as entries and as their fold: pure rules."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from services.ticketing import history
from services.ticketing.history import Actor, Change, Entry

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
RITA, ALICE = Actor("usr_rita"), Actor("usr_alice")
CREATED = Entry(
    1,
    NOON,
    "created",
    RITA,
    (Change("title", None, "Kettle leaks"), Change("status", None, "open"), Change("reporter_id", None, "usr_rita")),
)


def entry(seq: int, *changes: Change, actor: Actor = ALICE, comment: history.Visibility | None = None) -> Entry:
    kind: history.EntryType = "updated" if changes else "commented"
    return Entry(seq, NOON + timedelta(minutes=seq), kind, actor, changes, comment)


def test_the_fold_is_what_the_last_entry_left() -> None:
    folded = history.fold(
        [CREATED, entry(2, Change("title", "Kettle leaks", "Kettle")), entry(3, Change("status", "open", "pending"))]
    )
    assert folded.fields == {"title": "Kettle", "status": "pending", "reporter_id": "usr_rita"}
    assert (folded.version, folded.updated_at, folded.status) == (3, NOON + timedelta(minutes=3), "pending")
    assert folded.clock.halted_at == NOON + timedelta(minutes=3)


@pytest.mark.parametrize(
    "later",
    [
        [entry(3, Change("title", "Kettle leaks", "Kettle"))],
        [entry(1, Change("title", "Kettle leaks", "Kettle"))],
        [entry(2, Change("title", "Something else", "Kettle"))],
    ],
    ids=["a gap", "a number twice", "a change of what was not"],
)
def test_entries_that_do_not_follow_are_refused(later: list[Entry]) -> None:
    with pytest.raises(ValueError, match="entry"):
        history.fold([CREATED, *later])


def test_a_history_begins_with_its_creation() -> None:
    with pytest.raises(ValueError, match="begins with its creation"):
        history.fold([replace(CREATED, type="updated")])


def test_the_first_public_comment_of_somebody_else_is_the_answer() -> None:
    own, internal, public = (
        entry(2, actor=RITA, comment="public"),
        entry(3, comment="internal"),
        entry(4, comment="public"),
    )
    assert history.fold([CREATED, own, internal]).clock.answered_at is None
    assert history.fold([CREATED, own, internal, public]).clock.answered_at == public.at


def test_only_what_is_new_is_a_change() -> None:
    now: dict[history.Field, history.Value] = {"title": "Kettle", "labels": ["tea"]}
    assert history.changed(now, {"title": "Kettle", "labels": ["tea"]}) == ()
    assert history.changed(now, {"labels": []}) == (Change("labels", ["tea"], []),)
