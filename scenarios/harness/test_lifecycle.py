"""A service's life, replayed: histories of events with invented times against the pure state machine."""

from __future__ import annotations

import pytest

from harness.lifecycle import Action, Answered, Asked, Event, Exited, Life, Phase, Spawned, Waited, step

NOT_YET = Answered(ours=False, answer="ConnectionRefusedError")
STRANGER = Answered(ours=False, answer="200 from another instance: 'x'")
OURS = Answered(ours=True, answer="200 ok")
SPAWN, TERMINATE, REPORT, WAIT = Action.SPAWN, Action.TERMINATE, Action.REPORT_CRASH, Action.WAIT

HISTORIES: dict[str, tuple[list[Event], Phase, list[Action]]] = {
    "starts": ([Asked("start"), Spawned(7), NOT_YET, OURS], Phase.HEALTHY, [SPAWN]),
    "dies before it is ready": ([Asked("start"), Spawned(7), Exited(3)], Phase.CRASHED, [SPAWN, REPORT]),
    "a stranger answers on its port": ([Asked("start"), Spawned(7), STRANGER], Phase.STARTING, [SPAWN]),
    "dies while healthy": ([Asked("start"), Spawned(7), OURS, Exited(-9)], Phase.CRASHED, [SPAWN, REPORT]),
    "stops when asked": (
        [Asked("start"), Spawned(7), OURS, Asked("stop"), Exited(0)],
        Phase.STOPPED,
        [SPAWN, TERMINATE],
    ),
    "stops while starting": (
        [Asked("start"), Spawned(7), Asked("stop"), Exited(-15)],
        Phase.STOPPED,
        [SPAWN, TERMINATE],
    ),
    "a late answer does not wake the stopping": (
        [Asked("start"), Spawned(7), Asked("stop"), OURS],
        Phase.STOPPING,
        [SPAWN, TERMINATE],
    ),
    "is asked to stop before it has a process": (
        [Asked("start"), Asked("stop"), Spawned(7), Exited(-15)],
        Phase.STOPPED,
        [SPAWN, TERMINATE, TERMINATE],
    ),
    "is asked to stop while it restarts": (
        [Asked("start"), Spawned(7), OURS, Asked("restart"), Asked("stop"), Exited(0)],
        Phase.STOPPED,
        [SPAWN, TERMINATE],
    ),
    "restarts": (
        [Asked("start"), Spawned(7), OURS, Asked("restart"), Exited(0), Spawned(8), OURS],
        Phase.HEALTHY,
        [SPAWN, TERMINATE, SPAWN],
    ),
    "restarts after a crash": (
        [Asked("start"), Spawned(7), Exited(1), Asked("restart"), Spawned(8), OURS],
        Phase.HEALTHY,
        [SPAWN, REPORT, SPAWN],
    ),
    "a crashed one has nothing to stop": (
        [Asked("start"), Spawned(7), Exited(1), Asked("stop")],
        Phase.STOPPED,
        [SPAWN, REPORT],
    ),
    "stops answering and comes back": ([Asked("start"), Spawned(7), OURS, NOT_YET, OURS], Phase.HEALTHY, [SPAWN]),
    "stops answering": ([Asked("start"), Spawned(7), OURS, NOT_YET], Phase.UNHEALTHY, [SPAWN]),
    "asked to start twice": ([Asked("start"), Asked("start")], Phase.STARTING, [SPAWN]),
}


@pytest.mark.parametrize("name", HISTORIES)
def test_history(name: str) -> None:
    events, phase, expected = HISTORIES[name]
    life, actions = replay(events)
    assert (life.phase, actions) == (phase, expected)


def replay(events: list[Event], life: Life | None = None) -> tuple[Life, list[Action]]:
    life, taken = life or Life(), list[Action]()
    for second, event in enumerate(events, start=100):
        life, actions = step(life, event, now=float(second))
        taken.extend(actions)
    return life, taken


def test_the_time_to_readiness_counts_from_the_start() -> None:
    life, _ = replay([Asked("start"), Spawned(7), NOT_YET, OURS])
    assert life.ready_after == 3.0


def test_a_crash_keeps_the_exit_code_and_the_last_answer_as_evidence() -> None:
    life, _ = replay([Asked("start"), Spawned(7), NOT_YET, Exited(3)])
    assert (life.exit_code, life.last_answer, life.pid) == (3, "ConnectionRefusedError", None)


UP: list[Event] = [Asked("start"), Spawned(7), OURS]
LONG = 60.0


@pytest.mark.parametrize(
    ("events", "phase", "expected", "pause"),
    [
        ([*UP, Exited(1)], Phase.RESTARTING, [SPAWN, REPORT, WAIT], 0.5),
        ([*UP, Exited(1), Waited()], Phase.STARTING, [SPAWN, REPORT, WAIT, SPAWN], None),
        ([*UP, Exited(1), Waited(), Spawned(8), OURS], Phase.HEALTHY, [SPAWN, REPORT, WAIT, SPAWN], None),
        (
            [*UP, Exited(1), Waited(), Spawned(8), Exited(1), Waited(), Spawned(9), Exited(1)],
            Phase.RESTARTING,
            [SPAWN, REPORT, WAIT, SPAWN, REPORT, WAIT, SPAWN, REPORT, WAIT],
            2.0,
        ),
        ([*UP, Exited(1), Asked("stop"), Waited()], Phase.STOPPED, [SPAWN, REPORT, WAIT], None),
        ([*UP, Exited(1), Asked("restart"), Waited()], Phase.STARTING, [SPAWN, REPORT, WAIT, SPAWN], None),
        ([*UP, NOT_YET, Exited(1)], Phase.RESTARTING, [SPAWN, REPORT, WAIT], 0.5),
        ([Asked("start"), Spawned(7), Exited(1)], Phase.CRASHED, [SPAWN, REPORT], None),
    ],
)
def test_one_that_restarts_itself_waits_longer_each_time(
    events: list[Event], phase: Phase, expected: list[Action], pause: float | None
) -> None:
    life, actions = replay(events, Life(restarts_itself=True))
    assert (life.phase, actions, life.retry_in) == (phase, expected, pause)


def test_the_pause_has_a_limit() -> None:
    failure: list[Event] = [Exited(1), Waited(), Spawned(8)]
    life, _ = replay([*UP, *failure * 20, Exited(1)], Life(restarts_itself=True))
    assert life.retry_in == 30.0


def test_who_was_healthy_for_long_begins_with_the_shortest_pause_again() -> None:
    life, _ = replay(
        [*UP, Exited(1), Waited(), Spawned(8), Exited(1), Waited(), Spawned(9), OURS], Life(restarts_itself=True)
    )
    steady, _ = step(life, Exited(1), now=life.since + LONG)
    shaky, _ = step(life, Exited(1), now=life.since + 1.0)
    assert (steady.retry_in, shaky.retry_in) == (0.5, 2.0)


def test_a_restart_forgets_the_former_process() -> None:
    life, _ = replay([Asked("start"), Spawned(7), OURS, Asked("restart"), Exited(0), Spawned(8)])
    assert (life.pid, life.exit_code, life.ready_after) == (8, None, None)
