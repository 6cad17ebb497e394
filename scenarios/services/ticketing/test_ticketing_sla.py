"""How soon tickets are due, and how they stand: pure rules on moments."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ticketing import sla, workflow
from services.ticketing.sla import POLICIES, Clock
from services.ticketing.workflow import PRIORITIES, Priority, Status

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
TICK = timedelta(microseconds=1)
SPANS = st.timedeltas(timedelta(0), timedelta(days=9))


def state(clock: Clock, after: timedelta, priority: Priority = "urgent") -> sla.State:
    return sla.standing(clock, priority, at=NOON + after).state


@st.composite
def clocks(draw: st.DrawFn) -> tuple[Clock, datetime]:
    """A clock after some legal life, and the moment of the last thing that happened to it."""
    clock, status, at = Clock(NOON), workflow.FIRST_STATUS, NOON
    for _ in range(draw(st.integers(0, 6))):
        at += draw(SPANS)
        ways: list[Status | None] = [None, *(way.to for way in workflow.transitions(status))]
        to = draw(st.sampled_from(ways))
        if to is None:
            clock = clock.answered(at=at)
        else:
            clock, status = clock.moved(to, at=at), to
    return clock, at


@pytest.mark.parametrize("priority", PRIORITIES)
def test_what_is_more_urgent_is_due_sooner(priority: Priority) -> None:
    policy = POLICIES[priority]
    assert timedelta(0) < policy.first_response < policy.resolution
    later = [POLICIES[other] for other in PRIORITIES[: PRIORITIES.index(priority)]]
    assert all(policy.resolution < other.resolution for other in later)
    assert all(policy.first_response < other.first_response for other in later)


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        (timedelta(0), "ok"),
        (timedelta(minutes=22, seconds=30) - TICK, "ok"),
        (timedelta(minutes=22, seconds=30), "at_risk"),
        (timedelta(minutes=30), "at_risk"),
        (timedelta(minutes=30) + TICK, "breached"),
    ],
)
def test_an_answer_at_the_moment_it_is_due_is_in_time(after: timedelta, expected: str) -> None:
    assert state(Clock(NOON), after) == expected
    answered = Clock(NOON).answered(at=NOON + after).moved("resolved", at=NOON + after)
    assert state(answered, timedelta(days=365)) == ("breached" if expected == "breached" else "met")


def test_only_the_first_answer_counts() -> None:
    clock = Clock(NOON).answered(at=NOON + timedelta(minutes=5)).answered(at=NOON + timedelta(hours=3))
    assert clock.answered_at == NOON + timedelta(minutes=5)


def test_whoever_resolves_a_ticket_has_answered_it() -> None:
    clock = Clock(NOON).moved("resolved", at=NOON + timedelta(minutes=10))
    assert state(clock, timedelta(days=9)) == "met"


def test_reopening_does_not_take_the_first_answer_away() -> None:
    answered = NOON + timedelta(minutes=10)
    reopened = Clock(NOON).moved("resolved", at=answered).moved("open", at=NOON + timedelta(hours=1))
    assert reopened.answered_at == answered
    assert state(reopened, timedelta(hours=1)) == "ok"


def test_what_is_said_after_the_end_is_not_the_first_answer() -> None:
    clock = Clock(NOON).moved("resolved", at=NOON + timedelta(minutes=10))
    assert state(clock.answered(at=NOON + timedelta(days=1)), timedelta(days=2)) == "met"


def test_pending_puts_off_what_is_due_by_as_long() -> None:
    clock = Clock(NOON).answered(at=NOON)
    assert sla.standing(clock, "urgent", at=NOON).resolution_due_at == NOON + timedelta(hours=4)
    waiting = clock.moved("pending", at=NOON + timedelta(hours=1))
    assert waiting.waiting_since == NOON + timedelta(hours=1)
    stands = sla.standing(waiting, "urgent", at=NOON + timedelta(days=30))
    assert (stands.state, stands.resolution_due_at) == ("ok", None)
    going = waiting.moved("in_progress", at=NOON + timedelta(hours=11))
    assert (going.waiting_since, going.waited) == (None, timedelta(hours=10))
    assert sla.standing(going, "urgent", at=NOON).resolution_due_at == NOON + timedelta(hours=14)
    assert state(going, timedelta(hours=14)) == "at_risk"
    assert state(going, timedelta(hours=14) + TICK) == "breached"


def test_the_first_answer_is_owed_while_a_ticket_is_pending() -> None:
    assert state(Clock(NOON).moved("pending", at=NOON), timedelta(minutes=31)) == "breached"


def test_resolved_from_pending_counts_no_waiting() -> None:
    waiting = Clock(NOON).answered(at=NOON).moved("pending", at=NOON + timedelta(hours=1))
    resolved = waiting.moved("resolved", at=NOON + timedelta(days=5))
    assert state(resolved, timedelta(days=6)) == "met"
    assert resolved.waited == timedelta(days=5) - timedelta(hours=1)


def test_the_time_a_reopened_ticket_was_resolved_does_not_count() -> None:
    clock = Clock(NOON).answered(at=NOON).moved("resolved", at=NOON + timedelta(hours=1))
    reopened = clock.moved("open", at=NOON + timedelta(days=2))
    assert reopened.ended_at is None
    assert state(reopened, timedelta(days=2, hours=1)) == "ok"
    assert state(reopened, timedelta(days=2, hours=3)) == "at_risk"
    assert state(reopened, timedelta(days=2, hours=3) + TICK) == "breached"


def test_closing_does_not_move_the_end() -> None:
    clock = Clock(NOON).moved("resolved", at=NOON + timedelta(minutes=5))
    assert clock.moved("closed", at=NOON + timedelta(days=9)) == clock


@given(life=clocks(), priority=st.sampled_from(PRIORITIES), later=SPANS)
def test_time_alone_never_makes_it_better(life: tuple[Clock, datetime], priority: Priority, later: timedelta) -> None:
    clock, at = life
    worse: tuple[sla.State, ...] = ("ok", "at_risk", "breached")
    now, then = (sla.standing(clock, priority, at=moment) for moment in (at, at + later))
    if now.state == "met":
        assert then.state == "met"
    else:
        assert worse.index(then.state) >= worse.index(now.state)
    assert (then.first_response_due_at, then.resolution_due_at) == (now.first_response_due_at, now.resolution_due_at)


@given(life=clocks(), priority=st.sampled_from(PRIORITIES), before=SPANS)
def test_nothing_is_due_before_it_began_even_by_a_clock_set_back(
    life: tuple[Clock, datetime], priority: Priority, before: timedelta
) -> None:
    clock, _ = life
    stands = sla.standing(clock, priority, at=NOON - before)
    assert stands.first_response_due_at > clock.started_at
    assert stands.resolution_due_at is None or stands.resolution_due_at > clock.started_at
    assert clock.waited >= timedelta(0)
