"""A service that is gone is not waited for by everybody, and is back for everybody as soon as it lives."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import anyio
import pytest
from anyio.from_thread import start_blocking_portal

from services.api import circuit
from services.api.circuit import FAILURES, Circuit
from services.shared.problems import Unavailable


class Service:
    """Something that can be asked whether it lives, and calls of it."""

    def __init__(self) -> None:
        self.lives = False
        self.probes = 0
        self.circuit = Circuit("service", self._alive)

    async def _alive(self) -> bool:
        self.probes += 1
        return self.lives

    async def call(self, *, answered: bool) -> bool:
        """Whether the call got through."""
        try:
            async with self.circuit.admitted():
                self.circuit.note(answered=answered)
        except Unavailable:
            return False
        return True

    async def fail(self, times: int) -> None:
        """So many calls without an answer."""
        for _ in range(times):
            assert await self.call(answered=False)


def run(test: Callable[[Service], Awaitable[None]]) -> None:
    with start_blocking_portal() as portal:
        portal.call(test, Service())


def test_failures_in_a_row_open_it_and_an_answer_between_them_does_not() -> None:
    async def scenario(service: Service) -> None:
        await service.fail(FAILURES - 1)
        assert await service.call(answered=True)
        await service.fail(FAILURES)
        assert service.probes == 0
        assert not await service.call(answered=True)
        assert service.probes == 1

    run(scenario)


def test_it_heals_with_the_first_call_after_the_service_lives_again() -> None:
    async def scenario(service: Service) -> None:
        await service.fail(FAILURES)
        assert not await service.call(answered=True)
        service.lives = True
        assert await service.call(answered=True)
        assert await service.call(answered=True)
        assert service.probes == 2

    run(scenario)


def test_a_service_that_lives_and_still_does_not_answer_stays_cut_off() -> None:
    async def scenario(service: Service) -> None:
        service.lives = True
        await service.fail(FAILURES + 1)
        assert service.probes == 1
        assert await service.call(answered=False)
        assert service.probes == 2

    run(scenario)


@pytest.mark.parametrize("answered", [True, False])
def test_while_one_call_is_the_trial_the_others_wait_for_how_it_ends(answered: bool) -> None:
    async def scenario(service: Service) -> None:
        await service.fail(FAILURES)
        service.lives, began, go_on, passed = True, anyio.Event(), anyio.Event(), list[str]()

        async def trial() -> None:
            async with service.circuit.admitted():
                began.set()
                await go_on.wait()
                service.circuit.note(answered=answered)

        async def other() -> None:
            async with service.circuit.admitted():
                passed.append("other")
                service.circuit.note(answered=True)

        async with anyio.create_task_group() as group:
            group.start_soon(trial)
            await began.wait()
            group.start_soon(other)
            await anyio.wait_all_tasks_blocked()
            assert passed == []
            go_on.set()
        assert passed == ["other"]
        assert service.probes == (1 if answered else 2)

    run(scenario)


def test_nobody_waits_long_for_somebody_elses_trial(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(circuit, "PATIENCE_S", 0.01)

    async def scenario(service: Service) -> None:
        await service.fail(FAILURES)
        service.lives = True
        async with service.circuit.admitted():
            assert not await service.call(answered=True)

    run(scenario)
