"""One service as the supervisor runs it: its events go to the state machine, and what that answers is done here."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import time
from collections.abc import Callable
from typing import Any

import psutil

from harness import leash, lifecycle, loopback, ports, readiness
from harness.backend import Backend, Birth
from harness.errors import HarnessError, NotReadyError
from harness.lifecycle import Action, Answered, Event, Exited, Life, Phase, Spawned, Waited
from harness.logbook import last_lines
from harness.plan import StackPlan, command, environment
from harness.ports import Reservation
from harness.topology import TCP

GRACE_S = 1.5
PROBE_PAUSE_S, LONGEST_PROBE_PAUSE_S = 0.02, 0.25
LONG_S = 0.1
CHECK_PAUSE_S = 5.0
LOOKED_AFTER = (Phase.HEALTHY, Phase.UNHEALTHY)
LOG_TAIL_LINES = 40
CONTROL_TIMEOUT_S = 10.0
PREFIX = "/_sim/"
OK = 200


class ServiceRun:
    """Feeds one service's events to :func:`harness.lifecycle.step` and does what it answers."""

    def __init__(
        self,
        name: str,
        plan: StackPlan,
        reservation: Reservation,
        backend: Backend,
        on_change: Callable[[str], None],
        *,
        restarts_itself: bool,
    ) -> None:
        self.service = plan.service(name)
        self.life = Life(restarts_itself=restarts_itself)
        self.log = plan.folder / f"{name}.log"
        self.created = self.spawned = 0.0
        self._asked: float | None = None
        self._births = 0
        self._plan, self._reservation, self._backend, self._on_change = plan, reservation, backend, on_change
        self._changed = asyncio.Condition()
        self._tasks: set[asyncio.Task[None]] = set()
        self._endings: set[asyncio.Task[None]] = set()
        self.grace = GRACE_S

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
            elif action is Action.WAIT:
                self._background(self._wait(self._births))
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

    async def at_rest(self) -> None:
        """Wait until the service and all it had started are gone."""
        await self.reached(Phase.STOPPED)
        await asyncio.gather(*self._endings)

    async def check(self) -> None:
        """Ask the service for its health once more."""
        if self.life.phase in LOOKED_AFTER:
            await self._ask()

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

    def time_left(self) -> float:
        """For how many seconds it may still be starting; the whole time if others are before it."""
        began = self.life.started if self.life.phase is Phase.STARTING else time.monotonic()
        return max(0.0, began + self.service.ready_timeout - time.monotonic())

    def failure(self) -> NotReadyError:
        """Why the service is not healthy, with the evidence."""
        life = self.life
        if life.phase in (Phase.STOPPING, Phase.STOPPED):
            what = f"{self.service.name} was stopped before it was healthy"
        elif life.exit_code is not None:
            what = f"{self.service.name} ended with exit code {life.exit_code} before it was healthy"
        else:
            what = f"{self.service.name} was not healthy after {time.monotonic() - life.started:.1f} s"
        silence = 0.0 if self._asked is None else time.monotonic() - self._asked
        answer = f"none for {silence:.1f} s" if silence > LONG_S else life.last_answer
        evidence = [f"waited for {self._wanted()}; last answer: {answer}"]
        if life.exit_code is not None and (holder := ports.holder(self._reservation.number)).pid:
            evidence.append(f"its port {self._reservation.number} is held by {holder}")
        evidence.append("end of its log:" if self.tail() else "its log is empty")
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
        if self.service.command is not None:
            self._reservation.lend()
        sockets = [] if self.service.command is not None else self._reservation.listen()
        try:
            birth = Birth(
                self.service,
                command=command(self._plan, self.service),
                env=environment(self._plan, self.service.name, os.environ),
                log=self.log,
            )
            self._backend.start(birth, sockets, self._report)
        finally:
            for each in sockets:
                each.close()

    def _report(self, event: Event) -> None:
        """What the back end tells. Who has ended may have left others, which would hold the port of the next birth."""
        left = self._backend.strays(self._plan.nonce, self.service.name) if isinstance(event, Exited) else []
        if left:
            self._background(self._end_left(left, event))
        else:
            self.happen(event)

    async def _end_left(self, left: list[psutil.Process], event: Event) -> None:
        await asyncio.to_thread(leash.end, left, grace=self.grace)
        self.happen(event)

    async def _health(self) -> Answered:
        nonce = self._plan.nonce if self.service.own else None
        self._asked = time.monotonic()
        try:
            return await readiness.ask(self._reservation.number, self.service.health, nonce)
        finally:
            self._asked = None

    async def _ask(self) -> None:
        birth = self._births
        answered = await self._health()
        if self._births == birth:  # else it was about a process that is no more
            self.happen(answered)

    async def _probe(self, birth: int) -> None:
        pause = PROBE_PAUSE_S
        while self.life.phase is Phase.STARTING and self._births == birth:
            await self._ask()
            if self.life.phase is Phase.STARTING:
                await asyncio.sleep(pause)
                pause = min(pause * 1.1, LONGEST_PROBE_PAUSE_S)
        while self.life.restarts_itself and self.life.phase in LOOKED_AFTER and self._births == birth:
            await asyncio.sleep(CHECK_PAUSE_S)
            await self.check()

    async def _wait(self, birth: int) -> None:
        await asyncio.sleep(self.life.retry_in or 0.0)
        if self._births == birth:
            self.happen(Waited())

    async def _terminate(self) -> None:
        """SIGTERM to the process and all its descendants, SIGKILL to whatever is left after the grace."""
        pid = self.life.pid
        process = None if pid is None else leash.same_process(pid, self.created)
        if process is None:
            return
        ending = asyncio.get_running_loop().create_task(self._end(process))
        self._endings.add(ending)
        await ending
        self._endings.discard(ending)

    async def _end(self, process: psutil.Process) -> None:
        others = leash.descendants(process)  # afterwards nobody could tell whose they were
        leash.terminate([process, *others])
        patient_until = time.monotonic() + self.grace
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self.grace), self._changed:
                await self._changed.wait_for(lambda: self.life.pid != process.pid)
        if others or self.life.pid == process.pid:
            grace = max(0.0, patient_until - time.monotonic())
            await asyncio.to_thread(leash.end, [process, *others], grace=grace)

    async def _notify(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    def _background(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
