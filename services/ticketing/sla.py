"""How soon a ticket must be answered and settled, and how it stands with that.

A first answer is owed whatever happens; the time to settle a ticket stands still while it is pending, and while it was
resolved if it is reopened. The moment something is due is still in time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from services.ticketing.workflow import Priority, Status, category

State = Literal["met", "ok", "at_risk", "breached"]

AT_RISK_FROM = 0.75
"""The part of the time after whose use something not yet done is at risk."""

_GRAVITY: tuple[State, ...] = ("met", "ok", "at_risk", "breached")


@dataclass(frozen=True, slots=True)
class Policy:
    """What is promised for tickets of one priority, around the clock."""

    first_response: timedelta
    resolution: timedelta


POLICIES: Mapping[Priority, Policy] = {
    "urgent": Policy(first_response=timedelta(minutes=30), resolution=timedelta(hours=4)),
    "high": Policy(first_response=timedelta(hours=2), resolution=timedelta(hours=24)),
    "normal": Policy(first_response=timedelta(hours=8), resolution=timedelta(days=3)),
    "low": Policy(first_response=timedelta(days=1), resolution=timedelta(days=7)),
}


@dataclass(frozen=True, slots=True)
class Clock:
    """What has happened to a ticket, as far as its times go."""

    started_at: datetime
    answered_at: datetime | None = None
    halted_at: datetime | None = None
    """Since when it stands still: it is pending, or done."""
    ended_at: datetime | None = None
    """When it was resolved or cancelled, unless it was reopened since."""
    paused: timedelta = timedelta(0)
    """How long it has stood still before it went on, in all."""

    def moved(self, to: Status, *, at: datetime) -> Clock:
        """The clock of a ticket that goes into another status."""
        if category(to) == "done":
            return replace(self, halted_at=self.halted_at or at, ended_at=self.ended_at or at)
        if to == "pending":
            return replace(self, halted_at=self.halted_at or at)
        stood = timedelta(0) if self.halted_at is None else _between(self.halted_at, at)
        answered_at = self.answered_at or self.ended_at
        return replace(self, answered_at=answered_at, halted_at=None, ended_at=None, paused=self.paused + stood)

    def answered(self, *, at: datetime) -> Clock:
        """The clock of a ticket that somebody answered; only the first answer counts, and its end was one."""
        return self if self.answered_at or self.ended_at else replace(self, answered_at=at)

    @property
    def waiting_since(self) -> datetime | None:
        """Since when it is pending, unless it is not."""
        return None if self.ended_at else self.halted_at

    @property
    def waited(self) -> timedelta:
        """How long it stood still in all; what goes on now does not count yet."""
        if self.halted_at is None or self.ended_at is None:
            return self.paused
        return self.paused + _between(self.halted_at, self.ended_at)


@dataclass(frozen=True, slots=True)
class Standing:
    """When what is due, and whether that holds."""

    first_response_due_at: datetime
    resolution_due_at: datetime | None
    """None while the ticket is pending: so long there is no such moment."""
    state: State


def standing(clock: Clock, priority: Priority, *, at: datetime) -> Standing:
    """How a ticket of that clock and priority stands at a moment."""
    policy = POLICIES[priority]
    answer = _between(clock.started_at, clock.answered_at or clock.ended_at or at)
    work = max(_between(clock.started_at, clock.halted_at or at) - clock.paused, timedelta(0))
    states = (
        _state(answer, policy.first_response, done=bool(clock.answered_at or clock.ended_at)),
        _state(work, policy.resolution, done=clock.ended_at is not None),
    )
    return Standing(
        first_response_due_at=clock.started_at + policy.first_response,
        resolution_due_at=None if clock.waiting_since else clock.started_at + policy.resolution + clock.waited,
        state=max(states, key=_GRAVITY.index),
    )


def _state(used: timedelta, promised: timedelta, *, done: bool) -> State:
    if used > promised:
        return "breached"
    if done:
        return "met"
    return "at_risk" if used >= promised * AT_RISK_FROM else "ok"


def _between(start: datetime, end: datetime) -> timedelta:
    """Never less than nothing: clocks are set back now and then."""
    return max(end - start, timedelta(0))
