"""The life of one service as a pure state machine: what happened, and what to do about it.

Nothing here starts, waits or prints. :func:`step` takes a state and an event and returns the next state and the
actions for a back end; the supervisor feeds it, and its tests replay histories with invented times.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Literal, TypeAlias


class Phase(StrEnum):
    """Where a service is in its life."""

    WAITING = "waiting"
    STARTING = "starting"
    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"
    CRASHED = "crashed"
    STOPPING = "stopping"
    STOPPED = "stopped"


@dataclass(frozen=True)
class Life:
    """One service: its phase since ``since`` (seconds of a monotonic clock), and how its last process ended."""

    phase: Phase = Phase.WAITING
    since: float = 0.0
    pid: int | None = None
    exit_code: int | None = None
    last_answer: str = "not asked yet"
    started: float = 0.0
    ready_after: float | None = None
    restarting: bool = False


@dataclass(frozen=True)
class Spawned:
    """A process for the service exists."""

    pid: int


@dataclass(frozen=True)
class Answered:
    """The health check got an answer; ``ours`` is whether it carried the stack's nonce."""

    ours: bool
    answer: str


@dataclass(frozen=True)
class Exited:
    """The process ended; negative codes are signals, as in :mod:`subprocess`."""

    code: int


@dataclass(frozen=True)
class Asked:
    """Somebody wants the service started, stopped or restarted."""

    verb: Literal["start", "stop", "restart"]


Event: TypeAlias = Spawned | Answered | Exited | Asked


class Action(StrEnum):
    """What a back end shall do now."""

    SPAWN = "spawn"
    TERMINATE = "terminate"
    REPORT_CRASH = "report-crash"


AT_REST = (Phase.WAITING, Phase.STOPPED, Phase.CRASHED)
ALIVE = (Phase.STARTING, Phase.HEALTHY, Phase.UNHEALTHY)


def step(life: Life, event: Event, *, now: float) -> tuple[Life, tuple[Action, ...]]:
    """The state after ``event``, and the actions it asks for. Events that no longer matter change nothing."""
    match event:
        case Asked(verb="start") if life.phase in AT_REST:
            return Life(Phase.STARTING, since=now, started=now), (Action.SPAWN,)
        case Asked(verb="stop") if life.phase in ALIVE:
            return replace(life, phase=Phase.STOPPING, since=now), (Action.TERMINATE,)
        case Asked(verb="stop") if life.phase is Phase.STOPPING:
            return replace(life, restarting=False), ()
        case Asked(verb="stop") if life.phase in (Phase.WAITING, Phase.CRASHED):
            return replace(life, phase=Phase.STOPPED, since=now), ()
        case Asked(verb="restart") if life.phase in ALIVE:
            return replace(life, phase=Phase.STOPPING, since=now, restarting=True), (Action.TERMINATE,)
        case Asked(verb="restart") if life.phase in AT_REST:
            return step(life, Asked("start"), now=now)
        case Spawned(pid):
            # A stop that came before there was a process has had nothing to end.
            return replace(life, pid=pid), (Action.TERMINATE,) if life.phase is Phase.STOPPING else ()
        case Answered(ours=True, answer=answer) if life.phase is Phase.STARTING:
            return replace(life, phase=Phase.HEALTHY, since=now, last_answer=answer, ready_after=now - life.started), ()
        case Answered(ours=True, answer=answer) if life.phase is Phase.UNHEALTHY:
            return replace(life, phase=Phase.HEALTHY, since=now, last_answer=answer), ()
        case Answered(ours=False, answer=answer) if life.phase is Phase.HEALTHY:
            return replace(life, phase=Phase.UNHEALTHY, since=now, last_answer=answer), ()
        case Answered(answer=answer):
            return replace(life, last_answer=answer), ()
        case Exited(code) if life.phase is Phase.STOPPING and life.restarting:
            return step(replace(life, phase=Phase.STOPPED, exit_code=code), Asked("start"), now=now)
        case Exited(code) if life.phase is Phase.STOPPING:
            return replace(life, phase=Phase.STOPPED, since=now, exit_code=code, pid=None), ()
        case Exited(code) if life.phase in ALIVE:
            return replace(life, phase=Phase.CRASHED, since=now, exit_code=code, pid=None), (Action.REPORT_CRASH,)
        case _:
            return life, ()
