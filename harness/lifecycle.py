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
    RESTARTING = "restarting"
    STOPPING = "stopping"
    STOPPED = "stopped"


@dataclass(frozen=True)
class Life:
    """One service: its phase since ``since`` (seconds of a monotonic clock), and how its last process ended.

    With ``restarts_itself`` a service that once was healthy is started again when it dies, each time after a longer
    pause, until it has been healthy for a while; it is :attr:`Phase.RESTARTING` during the pause, of ``retry_in``
    seconds. Without, and before it was healthy at all, it is :attr:`Phase.CRASHED`.
    """

    phase: Phase = Phase.WAITING
    since: float = 0.0
    pid: int | None = None
    exit_code: int | None = None
    last_answer: str = "none yet"
    started: float = 0.0
    ready_after: float | None = None
    restarting: bool = False
    restarts_itself: bool = False
    was_healthy: bool = False
    failures: int = 0
    retry_in: float | None = None


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


@dataclass(frozen=True)
class Waited:
    """The pause before a restart is over."""


Event: TypeAlias = Spawned | Answered | Exited | Asked | Waited


class Action(StrEnum):
    """What a back end shall do now."""

    SPAWN = "spawn"
    TERMINATE = "terminate"
    REPORT_CRASH = "report-crash"
    WAIT = "wait"


AT_REST = (Phase.WAITING, Phase.STOPPED, Phase.CRASHED, Phase.RESTARTING)
ALIVE = (Phase.STARTING, Phase.HEALTHY, Phase.UNHEALTHY)
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 30.0
STEADY_S = 30.0
"""Who has been healthy for so long has recovered: its next failure counts as the first."""


def step(life: Life, event: Event, *, now: float) -> tuple[Life, tuple[Action, ...]]:
    """The state after ``event``, and the actions it asks for. Events that no longer matter change nothing."""
    match event:
        case Asked(verb="start") if life.phase in AT_REST:
            return _starting(life, now=now), (Action.SPAWN,)
        case Asked(verb="stop") if life.phase in ALIVE:
            return replace(life, phase=Phase.STOPPING, since=now), (Action.TERMINATE,)
        case Asked(verb="stop") if life.phase is Phase.STOPPING:
            return replace(life, restarting=False), ()
        case Asked(verb="stop") if life.phase in (Phase.WAITING, Phase.CRASHED, Phase.RESTARTING):
            return replace(life, phase=Phase.STOPPED, since=now, retry_in=None), ()
        case Waited() if life.phase is Phase.RESTARTING:
            return _starting(life, now=now), (Action.SPAWN,)
        case Asked(verb="restart") if life.phase in ALIVE:
            return replace(life, phase=Phase.STOPPING, since=now, restarting=True), (Action.TERMINATE,)
        case Asked(verb="restart") if life.phase in AT_REST:
            return step(life, Asked("start"), now=now)
        case Spawned(pid):
            # A stop that came before there was a process has had nothing to end.
            return replace(life, pid=pid), (Action.TERMINATE,) if life.phase is Phase.STOPPING else ()
        case Answered(ours=True, answer=answer) if life.phase is Phase.STARTING:
            healthy = replace(life, phase=Phase.HEALTHY, since=now, last_answer=answer, was_healthy=True)
            return replace(healthy, ready_after=now - life.started), ()
        case Answered(ours=True, answer=answer) if life.phase is Phase.UNHEALTHY:
            return replace(life, phase=Phase.HEALTHY, since=now, last_answer=answer), ()
        case Answered(ours=False, answer=answer) if life.phase is Phase.HEALTHY:
            return replace(life, phase=Phase.UNHEALTHY, since=now, last_answer=answer), ()
        case Answered(answer=answer):
            return replace(life, last_answer=answer), ()
        case Exited(code) if life.phase is Phase.STOPPING and life.restarting:
            return _starting(life, now=now), (Action.SPAWN,)
        case Exited(code) if life.phase is Phase.STOPPING:
            return replace(life, phase=Phase.STOPPED, since=now, exit_code=code, pid=None), ()
        case Exited(code) if life.phase in ALIVE and life.restarts_itself and life.was_healthy:
            return _pausing(life, code, now=now), (Action.REPORT_CRASH, Action.WAIT)
        case Exited(code) if life.phase in ALIVE:
            return replace(life, phase=Phase.CRASHED, since=now, exit_code=code, pid=None), (Action.REPORT_CRASH,)
        case _:
            return life, ()


def _starting(life: Life, *, now: float) -> Life:
    kept = Life(restarts_itself=life.restarts_itself, was_healthy=life.was_healthy, failures=life.failures)
    return replace(kept, phase=Phase.STARTING, since=now, started=now)


def _pausing(life: Life, code: int, *, now: float) -> Life:
    steady = life.phase is not Phase.STARTING and now - life.since >= STEADY_S
    failures = 1 if steady else life.failures + 1
    pause = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2 ** (failures - 1))
    paused = replace(life, phase=Phase.RESTARTING, since=now, exit_code=code, pid=None, failures=failures)
    return replace(paused, retry_in=pause)
