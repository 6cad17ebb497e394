"""One stack as the supervisor runs it: its reserved ports, its folder, its services."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from harness import leash
from harness.backend import Backend
from harness.errors import HarnessError
from harness.lifecycle import Asked, Phase
from harness.plan import StackPlan
from harness.ports import Reservation
from harness.service_run import GRACE_S, ServiceRun

NEWS_S = 5.0
"""So long nobody who waits for a start is left without a word."""


class StackRun:
    """A stack: all its services, started and stopped together. The logs of a ``lasting`` one outlive its supervisor."""

    def __init__(
        self,
        plan: StackPlan,
        reservations: Mapping[str, Reservation],
        services: tuple[str, ...],
        backend: Backend,
        on_change: Callable[[Mapping[str, Any]], None],
        *,
        restarts_itself: bool = False,
    ) -> None:
        self.plan, self.lasting = plan, restarts_itself
        self._backend = backend
        self._reservations = reservations
        self._on_change = on_change
        self.runs = {
            name: ServiceRun(
                name, plan, reservations[name], backend, on_change=self._changed, restarts_itself=restarts_itself
            )
            for name in services
        }

    def rename(self, name: str) -> None:
        """Go by another name from now on; its folder stays."""
        self.plan = replace(self.plan, name=name)

    @property
    def healthy(self) -> bool:
        """Whether every service is, as far as is known."""
        return all(run.life.phase is Phase.HEALTHY for run in self.runs.values())

    def _changed(self, service: str) -> None:
        event = {"stack": self.plan.name, "service": service, **self._describe(self.runs[service])}
        if self.runs[service].life.phase in (Phase.CRASHED, Phase.RESTARTING):
            event["log_tail"] = self.runs[service].tail()
        self._on_change(event)

    async def start(self) -> None:
        """Start every service at once and wait until all are healthy.

        Raises:
            NotReadyError: as soon as one of them has ended or the time is up; the stack is stopped then.
        """
        shutil.rmtree(self.plan.folder, ignore_errors=True)
        self.plan.folder.mkdir(parents=True)
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(self._start_in_turn())
                await self._all_healthy(self.runs.values())
        except BaseExceptionGroup as failed:
            await self.stop()
            raise failed.exceptions[0] from None

    async def _start_in_turn(self) -> None:
        slots = asyncio.Semaphore(self._backend.starts_at_once)

        async def start(run: ServiceRun) -> None:
            async with slots:
                if run.life.phase is not Phase.WAITING:  # it was stopped before its turn came
                    return
                run.happen(Asked("start"))
                await run.reached(Phase.HEALTHY, Phase.CRASHED)

        longest_first = sorted(self.runs.values(), key=lambda run: -run.service.cold_start_s)
        await asyncio.gather(*(start(run) for run in longest_first))

    async def _all_healthy(self, runs: Any) -> None:
        settled = (Phase.HEALTHY, Phase.CRASHED, Phase.RESTARTING, Phase.STOPPED)
        waits = {asyncio.ensure_future(run.reached(*settled)): run for run in runs}
        pending = set(waits)
        try:
            while pending:
                remaining = min(waits[wait].time_left() for wait in pending)
                timeout = min(remaining, NEWS_S)
                done, pending = await asyncio.wait(pending, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
                failed = [waits[wait] for wait in done if wait.result() is not Phase.HEALTHY]
                late = [waits[wait] for wait in pending if waits[wait].time_left() == 0.0]
                if failed or late:
                    raise (failed or late)[0].failure()
                for run in () if done else [waits[wait] for wait in pending]:
                    self._changed(run.service.name)  # nothing has, and that is worth telling
        finally:
            for wait in pending:
                wait.cancel()

    async def restart(self, service: str) -> None:
        """Stop one service and start it again on the same port with the same data; wait until it is healthy."""
        run = self.runs[service]
        run.happen(Asked("restart"))
        await run.reached(Phase.STARTING, Phase.CRASHED, Phase.RESTARTING, Phase.STOPPED)
        await self._all_healthy([run])

    async def reset(self) -> None:
        """Begin the world anew inside the running processes: end every service's life, then start every one again.

        All have ended before the first starts, so that nothing of the former world reaches the new one. A program that
        is no app of ours to end and start is restarted.

        Raises:
            HarnessError: a service did not answer, or refused to start again.
        """
        within = [run for run in self.runs.values() if run.service.app is not None]
        if ill := [run.service.name for run in within if run.life.phase is not Phase.HEALTHY]:
            raise HarnessError(f"{', '.join(ill)} cannot begin anew: not healthy", todo="restart it first")
        failed: list[BaseException] = []
        for half in ("end", "start"):  # who has ended waits for the second half, whatever became of the others
            done = await asyncio.gather(
                *(run.control("POST", f"reset/{half}") for run in within), return_exceptions=True
            )
            failed += [error for error in done if isinstance(error, BaseException)]
        if failed:
            raise failed[0]
        await asyncio.gather(*(self.restart(name) for name, run in self.runs.items() if run not in within))

    async def journal(self, since: float) -> list[dict[str, Any]]:
        """What the services were asked after ``since`` (seconds of the monotonic clock), in order of time."""
        parts = await asyncio.gather(*(run.journal(since) for run in self.runs.values()))
        return sorted((entry for part in parts for entry in part), key=lambda entry: float(entry["at"]))

    async def stop(self, *, grace: float = GRACE_S) -> None:
        """End every service and whatever it had started, by force after ``grace`` seconds; give the ports back."""
        for run in self.runs.values():
            run.grace = grace
            run.happen(Asked("stop"))
        await asyncio.gather(self._end_strays(grace), *(run.at_rest() for run in self.runs.values()))
        await self._end_strays(0.0)  # whom the end of the services has orphaned
        for reservation in self._reservations.values():
            reservation.close()

    async def _end_strays(self, grace: float) -> None:
        if strays := self._backend.strays(self.plan.nonce):
            await asyncio.to_thread(leash.end, strays, grace=grace)

    def processes(self) -> tuple[tuple[int, float], ...]:
        """Pid and creation time of each service that runs."""
        return tuple((run.life.pid, run.created) for run in self.runs.values() if run.life.pid is not None)

    async def check(self) -> None:
        """Ask every service for its health once more."""
        await asyncio.gather(*(run.check() for run in self.runs.values()))

    def describe(self) -> dict[str, Any]:
        """The stack as ``status --json`` shows it."""
        return {
            "stack": self.plan.name,
            "nonce": self.plan.nonce,
            "world": self.plan.world,
            "seed": self.plan.seed,
            "folder": str(self.plan.folder),
            "urls": {name: self.plan.url(name) for name in self.plan.numbers},
            "services": {name: self._describe(run) for name, run in self.runs.items()},
        }

    def _describe(self, run: ServiceRun) -> dict[str, Any]:
        life = run.life
        return {
            "url": self.plan.url(run.service.name),
            "port": self.plan.numbers[run.service.name],
            "pid": life.pid,
            "state": str(life.phase),
            "log": str(run.log),
            "ready_s": None if life.ready_after is None else round(life.ready_after, 3),
            "exit_code": life.exit_code,
            "last_answer": life.last_answer,
            "restarts": run.restarts,
            "retry_in_s": life.retry_in,
            **run.times(),
        }
