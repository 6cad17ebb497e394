"""One stack as the supervisor runs it: its reserved ports, its folder, and the life of each of its services."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import time
from collections.abc import Callable, Mapping
from typing import Any

from harness import leash, lifecycle, loopback, project, readiness
from harness.backend import Backend
from harness.errors import HarnessError, NotReadyError
from harness.lifecycle import Action, Answered, Asked, Event, Exited, Life, Phase, Spawned
from harness.logbook import last_lines
from harness.plan import StackPlan, command, environment
from harness.ports import Reservation
from harness.topology import TCP

GRACE_S = 3.0
READY_TIMEOUT_S = 60.0
PROBE_PAUSE_S = 0.02
LOG_TAIL_LINES = 40
CONTROL_TIMEOUT_S = 10.0
PREFIX = "/_sim/"
OK = 200


class ServiceRun:
    """Feeds one service's events to :func:`harness.lifecycle.step` and does what it answers."""

    def __init__(
        self, name: str, plan: StackPlan, reservation: Reservation, backend: Backend, on_change: Callable[[str], None]
    ) -> None:
        self.service = project.services()[name]
        self.life = Life()
        self.log = plan.folder / f"{name}.log"
        self.created = self.spawned = 0.0
        self._births = 0
        self._plan, self._reservation, self._backend, self._on_change = plan, reservation, backend, on_change
        self._changed = asyncio.Condition()
        self._tasks: set[asyncio.Task[None]] = set()

    def happen(self, event: Event) -> None:
        """Take one event in; must be called on the event loop's thread."""
        before = self.life.phase
        if isinstance(event, Spawned):
            self.created = leash.created(event.pid)
            self.spawned = time.monotonic()
        self.life, actions = lifecycle.step(self.life, event, now=time.monotonic())
        for action in actions:
            if action is Action.SPAWN:
                self._spawn()
            elif action is Action.TERMINATE:
                self._background(self._terminate())
        if self.life.phase is not before:
            self._on_change(self.service.name)
        self._background(self._notify())

    @property
    def restarts(self) -> int:
        """How often it was started again."""
        return max(0, self._births - 1)

    async def reached(self, *phases: Phase) -> Phase:
        """Wait until the service is in one of ``phases``."""
        async with self._changed:
            await self._changed.wait_for(lambda: self.life.phase in phases)
        return self.life.phase

    async def check(self) -> None:
        """Ask the service for its health once more."""
        if self.life.phase in (Phase.HEALTHY, Phase.UNHEALTHY):
            self.happen(await self._health())

    async def control(self, method: str, path: str) -> Any:
        """Ask the service's simulation layer.

        Raises:
            HarnessError: there is no answer, or not the one that was wanted.
        """
        headers = {"Authorization": f"Bearer {self._plan.control_secret}"}
        try:
            status, body = await loopback.request(
                self._reservation.number, method, f"{PREFIX}{path}", headers=headers, within=CONTROL_TIMEOUT_S
            )
        except OSError as error:
            status, body = 0, f"{type(error).__name__}: {error}".encode()
        if status != OK:
            evidence = f"{status or 'no answer'} {body[:300].decode('utf-8', 'replace')}\n{self.tail()}"
            raise HarnessError(f"{self.service.name} did not do {method} {PREFIX}{path}", evidence=evidence)
        return json.loads(body)

    async def journal(self, since: float) -> list[dict[str, Any]]:
        """What the service was asked after ``since``; nothing when it does not run. Health checks are left out."""
        if self.life.phase is not Phase.HEALTHY or self.service.app is None:
            return []
        told = await self.control("GET", f"journal?since={since}")
        return [entry for entry in told["entries"] if entry["path"] != self.service.health]

    def times(self) -> dict[str, float | None]:
        """When it was asked for and spawned, by the monotonic clock, and for how long its process has been running."""
        uptime = None if self.life.pid is None else round(time.monotonic() - self.spawned, 3)
        return {"asked_at": self.life.started, "spawned_at": self.spawned, "uptime_s": uptime}

    def tail(self) -> str:
        """The last lines of the service's log."""
        return last_lines(self.log, LOG_TAIL_LINES)

    def waiting(self) -> bool:
        """Whether it has not even been started, because others are before it."""
        return self.life.phase is not Phase.STARTING

    def failure(self) -> NotReadyError:
        """Why the service is not healthy, with the evidence."""
        life = self.life
        if life.phase in (Phase.STOPPING, Phase.STOPPED):
            what = f"{self.service.name} was stopped before it was healthy"
        elif life.exit_code is not None:
            what = f"{self.service.name} ended with exit code {life.exit_code} before it was healthy"
        else:
            what = f"{self.service.name} was not healthy after {time.monotonic() - life.started:.1f} s"
        waited = f"waited for {self._wanted()}"
        evidence = [f"{waited}; last answer: {life.last_answer}", "end of its log:"]
        return NotReadyError(
            what,
            evidence="\n".join([*evidence, *(f"| {line}" for line in self.tail().splitlines())]),
            todo=f"log: {self.log}",
        )

    def _wanted(self) -> str:
        url = self._plan.url(self.service.name)
        if self.service.health == TCP:
            return f"a connection to {url}"
        return f"200 from {url}{self.service.health}" + (" with this stack's nonce" if self.service.own else "")

    def _spawn(self) -> None:
        self._births += 1
        try:
            self._bear()
        except OSError as error:  # its port, its log, our zygote: told where one looks for what a service has to say
            with contextlib.suppress(OSError), self.log.open("a", encoding="utf-8") as log:
                log.write(f"{self.service.name} could not be started: {error}\n")
            asyncio.get_running_loop().call_soon(self.happen, Exited(1))
            return
        self._background(self._probe(self._births))

    def _bear(self) -> None:
        sockets = [] if self.service.command else self._reservation.listen()
        try:
            self._backend.start(
                self.service,
                sockets,
                command=command(self._plan, self.service),
                env=environment(self._plan, self.service.name, os.environ),
                log=self.log,
                report=self.happen,
            )
        finally:
            for each in sockets:
                each.close()

    async def _health(self) -> Answered:
        nonce = self._plan.nonce if self.service.own else None
        return await readiness.ask(self._reservation.number, self.service.health, nonce)

    async def _probe(self, birth: int) -> None:
        while self.life.phase is Phase.STARTING and self._births == birth:
            self.happen(await self._health())
            if self.life.phase is Phase.STARTING:
                await asyncio.sleep(PROBE_PAUSE_S)

    async def _terminate(self) -> None:
        if self.life.pid is not None and (process := leash.same_process(self.life.pid, self.created)):
            await asyncio.to_thread(leash.end, [process], grace=GRACE_S)

    async def _notify(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    def _background(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


class StackRun:
    """A stack: all its services, started and stopped together."""

    def __init__(
        self,
        plan: StackPlan,
        reservations: Mapping[str, Reservation],
        services: tuple[str, ...],
        backend: Backend,
        on_change: Callable[[Mapping[str, Any]], None],
    ) -> None:
        self.plan = plan
        self._backend = backend
        self._reservations = reservations
        self._on_change = on_change
        self.runs = {
            name: ServiceRun(name, plan, reservations[name], backend, on_change=self._changed) for name in services
        }

    def _changed(self, service: str) -> None:
        event = {"stack": self.plan.name, "service": service, **self._describe(self.runs[service])}
        if self.runs[service].life.phase is Phase.CRASHED:
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
        settled = (Phase.HEALTHY, Phase.CRASHED, Phase.STOPPED)
        waits = {asyncio.ensure_future(run.reached(*settled)): run for run in runs}
        pending = set(waits)
        deadline = time.monotonic() + READY_TIMEOUT_S
        try:
            while pending:
                remaining = max(0.0, deadline - time.monotonic())
                done, pending = await asyncio.wait(pending, timeout=remaining, return_when=asyncio.FIRST_COMPLETED)
                failed = [waits[wait] for wait in done if wait.result() is not Phase.HEALTHY]
                late = [] if done else sorted((waits[wait] for wait in pending), key=ServiceRun.waiting)
                if failed or late:
                    raise (failed or late)[0].failure()
        finally:
            for wait in pending:
                wait.cancel()

    async def restart(self, service: str) -> None:
        """Stop one service and start it again on the same port with the same data; wait until it is healthy."""
        run = self.runs[service]
        run.happen(Asked("restart"))
        await run.reached(Phase.STARTING, Phase.CRASHED)
        await self._all_healthy([run])

    async def reset(self) -> None:
        """Begin the world anew inside the running processes: end every service's life, then start every one again.

        All have ended before the first starts, so that nothing of the former world reaches the new one. A program that
        is no app of ours to end and start is restarted.

        Raises:
            HarnessError: a service did not answer, or refused to start again.
        """
        within = [run for run in self.runs.values() if run.service.app is not None]
        for half in ("end", "start"):
            await asyncio.gather(*(run.control("POST", f"reset/{half}") for run in within))
        await asyncio.gather(*(self.restart(name) for name, run in self.runs.items() if run not in within))

    async def journal(self, since: float) -> list[dict[str, Any]]:
        """What the services were asked after ``since`` (seconds of the monotonic clock), in order of time."""
        parts = await asyncio.gather(*(run.journal(since) for run in self.runs.values()))
        return sorted((entry for part in parts for entry in part), key=lambda entry: float(entry["at"]))

    async def stop(self) -> None:
        """End every service and give the ports back."""
        for run in self.runs.values():
            run.happen(Asked("stop"))
        for run in self.runs.values():
            await run.reached(Phase.STOPPED)
        for reservation in self._reservations.values():
            reservation.close()

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
            "restarts": run.restarts,
            **run.times(),
        }
