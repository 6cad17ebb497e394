"""What a supervisor does for those who ask it: it starts, watches and stops stacks."""

from __future__ import annotations

import argparse
import asyncio
import os
import secrets
import shutil
import signal
import sys
import threading
from collections.abc import Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import Any

from harness import leash, listener, ports, state, tether, worlds
from harness.backend import Backend
from harness.control import Emit
from harness.cradle import Cradle
from harness.errors import HarnessError
from harness.keeper import Keeper
from harness.plan import StackPlan, closure
from harness.ports import Choice
from harness.service_run import GRACE_S
from harness.spare import SHORT_GRACE_S, Spare, Wish
from harness.stack_run import StackRun


class Supervisor:
    """Holds stacks by name. Its public coroutines are the verbs of the control connection."""

    def __init__(self, name: str, backend: Backend, ending: asyncio.Event) -> None:
        self.name = name
        self._ending = ending
        self._backend = backend
        self._mark = backend.mark
        self._stacks: dict[str, StackRun] = {}
        self._all: set[StackRun] = set()
        self._spare: Spare | None = None
        self._numbers = count(1)
        self._watchers: set[Emit] = set()
        self._secret = secrets.token_urlsafe()
        self._templates = state.stack_folder(f"{name}-templates")
        self._port = 0
        self._created = leash.created(os.getpid())
        self._kept = False
        self._keeper = Keeper(self._record)

    async def serve(self) -> None:
        """Listen for verbs until asked to end; then stop every stack."""
        verbs = {
            "start": self.start,
            "stop": self.stop,
            "restart": self.restart,
            "reset": self.reset,
            "journal": self.journal,
            "describe": self.describe,
            "secret": self.secret,
            "settle": self.settle,
            "watch": self.watch,
            "keep": self.keep,
            "shutdown": self.shutdown,
        }
        shutil.rmtree(self._templates, ignore_errors=True)  # of a former one's code
        server = await listener.listen(verbs, self._secret)
        self._port = server.sockets[0].getsockname()[1]
        try:
            self._keeper.begin()
            await self._keeper.guard(self._ending)
        finally:
            self._backend.end_warming()
            ends = [stack.stop() for stack in self._all] + ([self._spare.discard()] if self._spare else [])
            await asyncio.gather(asyncio.to_thread(leash.end, self._backend.strays(), grace=GRACE_S), *ends)
            self._backend.close()
            await asyncio.to_thread(leash.end_children, grace=0.0)
            passing = [stack.plan.folder for stack in self._all if not stack.lasting]
            for folder in (self._templates, *passing):
                shutil.rmtree(folder, ignore_errors=True)
            await self._keeper.caught_up()
            state.record_path(self.name).unlink(missing_ok=True)

    def end(self) -> None:
        """Begin to end; :meth:`serve` returns when everything has stopped."""
        self._ending.set()

    def let_go(self) -> None:
        """The owner is gone: end, unless it wanted this supervisor to live on."""
        if not self._kept:
            self.end()

    async def start(self, asked: Mapping[str, Any], emit: Emit) -> dict[str, Any]:
        """Start a stack; ``choices`` gives each service's port, 0 for any.

        With ``spare`` another like it is kept ready from then on, and the next one to ask gets that. With ``restarts``
        a service that dies after it was healthy is started again.
        """
        if self._ending.is_set():
            raise HarnessError("the system is just being stopped", todo="start it again in a moment")
        name, services = asked["name"], closure(asked.get("services"))
        if name in self._stacks:
            raise HarnessError(f"a stack named {name!r} is running already")
        wish = Wish.of(asked, services)
        stack = await self._taken(wish)
        if stack is not None:
            stack.rename(name)
            self._stacks[name] = stack
            self._write()
        else:
            stack = self._stacks[name] = self._made(name, asked, services)
            await self._started(stack, emit)
        if wish is not None and asked.get("spare"):
            await self._prepare(wish, asked)
        await self._keeper.caught_up()
        return stack.describe()

    def _made(self, name: str, asked: Mapping[str, Any], services: tuple[str, ...]) -> StackRun:
        choices = {service: Choice(service, *told) for service, told in asked["choices"].items()}
        wanted = {key: choice for key, choice in choices.items() if key in services or choice.number == 0}
        held = ports.reserve_all(wanted)
        plan = StackPlan(
            name=name,
            nonce=f"{self._mark}{secrets.token_hex(4)}",
            folder=state.stack_folder(name),
            world=asked.get("world", worlds.DEFAULT),
            seed=asked.get("seed", 1),
            bundle=Path(asked["bundle"]) if asked.get("bundle") else None,
            templates=None if asked.get("watch") else self._templates,
            watch=bool(asked.get("watch")),
            numbers={key: held[key].number if key in held else choice.number for key, choice in choices.items()},
        )
        restarts = bool(asked.get("restarts"))
        stack = StackRun(plan, held, services, self._backend, on_change=self._changed, restarts_itself=restarts)
        self._all.add(stack)
        return stack

    async def _started(self, stack: StackRun, emit: Emit) -> None:
        self._watchers.add(emit)
        try:
            await stack.start()
        except BaseException:
            self._stacks.pop(stack.plan.name, None)
            self._all.discard(stack)
            raise
        finally:
            self._watchers.discard(emit)
            self._write()

    async def _taken(self, wish: Wish | None) -> StackRun | None:
        if wish is None or self._spare is None or self._spare.wish != wish:
            return None
        spare, self._spare = self._spare, None
        return await spare.take()

    async def _prepare(self, wish: Wish, asked: Mapping[str, Any]) -> None:
        if self._spare is not None:  # of another kind
            outdated, self._spare = self._spare, None
            await outdated.discard()
        name = f"{self.name}-spare-{next(self._numbers)}"
        self._spare = Spare(wish, lambda: self._made(name, asked, wish.services), self._drop)

    async def stop(self, asked: Mapping[str, Any], _: Emit) -> None:
        """Stop the stack ``name``; its folder goes with it unless ``keep``."""
        stack, keep = self._stacks.pop(asked["name"]), bool(asked.get("keep"))
        await self._drop(stack, keep=keep)

    async def _drop(self, stack: StackRun, *, keep: bool = False) -> None:
        await stack.stop(grace=GRACE_S if keep else SHORT_GRACE_S)
        if not keep:
            shutil.rmtree(stack.plan.folder, ignore_errors=True)
        self._all.discard(stack)
        self._write()

    async def restart(self, asked: Mapping[str, Any], _: Emit) -> dict[str, Any]:
        """Restart ``service`` of the stack ``name``."""
        stack = self._stack(asked["name"])
        if asked["service"] not in stack.runs:
            raise HarnessError(
                f"{asked['service']!r} is not part of the running system", todo=f"it runs: {', '.join(stack.runs)}"
            )
        await stack.restart(asked["service"])
        return stack.describe()

    async def reset(self, asked: Mapping[str, Any], _: Emit) -> None:
        """Begin the world of the stack ``name`` anew, in its running processes."""
        await self._stack(asked["name"]).reset()

    async def journal(self, asked: Mapping[str, Any], _: Emit) -> list[dict[str, Any]]:
        """What the services of the stack ``name`` were asked after ``since``."""
        return await self._stack(asked["name"]).journal(asked["since"])

    async def describe(self, asked: Mapping[str, Any], _: Emit) -> dict[str, Any]:
        """The stack ``name`` as it is now: every service is asked for its health first."""
        stack = self._stack(asked["name"])
        await stack.check()
        return stack.describe()

    async def secret(self, asked: Mapping[str, Any], _: Emit) -> str:
        """What the stack ``name`` has in the environment variable ``variable``, which holds a secret."""
        return self._stack(asked["name"]).plan.secret_of(asked["variable"])

    async def settle(self, _: Mapping[str, Any], __: Emit) -> None:
        """Wait until the spare stack, if one is kept, has started."""
        if self._spare is not None:
            await self._spare.settled()

    async def watch(self, _: Mapping[str, Any], emit: Emit) -> None:
        """Tell every change of a service until the caller hangs up."""
        self._watchers.add(emit)
        try:
            await self._ending.wait()
        finally:
            self._watchers.discard(emit)

    async def keep(self, _: Mapping[str, Any], __: Emit) -> None:
        """Live on when the owner goes: somebody wants to look at what runs. ``down`` ends it."""
        self._kept = True
        if self._spare is not None:
            unwanted, self._spare = self._spare, None
            await unwanted.discard()
        self._write()
        await self._keeper.caught_up()

    async def shutdown(self, _: Mapping[str, Any], __: Emit) -> None:
        """Begin to end."""
        self.end()

    def _stack(self, name: str) -> StackRun:
        if name not in self._stacks:
            raise HarnessError(
                f"there is no stack named {name!r}", todo=f"running: {', '.join(self._stacks) or 'none'}"
            )
        return self._stacks[name]

    def _changed(self, event: Mapping[str, Any]) -> None:
        self._write()
        if event["stack"] in self._stacks:  # what becomes of a spare is of no interest to anybody
            for emit in tuple(self._watchers):
                emit(event)

    def _write(self) -> None:
        if not self._ending.is_set():
            self._keeper.changed()

    def _record(self) -> state.Record:
        return state.Record(
            name=self.name,
            pid=os.getpid(),
            created=self._created,
            control_port=self._port,
            secret=self._secret,
            services=tuple(sorted(process for stack in self._all for process in stack.processes())),
            stacks=(*sorted(stack.plan.folder.name for stack in self._all), self._templates.name),
            kept=self._kept,
            mark=self._mark,
        )


async def _supervise(cradle: Cradle, arguments: argparse.Namespace) -> None:
    loop, ending = asyncio.get_running_loop(), asyncio.Event()
    # Before the first service exists: who is killed outright cannot end its children.
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        loop.add_signal_handler(number, ending.set)
    services = closure(arguments.services or None)
    backend = Backend(arguments.backend, services, cradle, watch=arguments.watch)
    supervisor = Supervisor(arguments.name, backend, ending)
    if not arguments.detached:

        def wait_for_owner() -> None:
            sys.stdin.buffer.read()
            loop.call_soon_threadsafe(supervisor.let_go)

        threading.Thread(target=wait_for_owner, name="leash", daemon=True).start()
    await supervisor.serve()


def main(cradle: Cradle, argv: Sequence[str] | None) -> int:
    """Supervise what comes out of ``cradle`` until told to end; a name of which there is one already is refused."""
    parser = argparse.ArgumentParser(prog="python -m harness.supervisor")
    parser.add_argument("name")
    parser.add_argument("--detached", action="store_true", help="live on when the starting process ends")
    parser.add_argument("--backend", choices=("zygote", "process"), default="zygote")
    parser.add_argument("--watch", action="store_true", help="build services when they start, from their sources")
    parser.add_argument("services", nargs="*", help="what will be started, to be warmed; none means all")
    arguments = parser.parse_args(argv)
    lock = state.lock(arguments.name)
    if lock is None:
        cradle.put_away()
        return state.ALREADY_RUNNING
    tether.adopt_orphans()
    for left in state.reap():
        print(f"ended what {left} left behind", file=sys.stderr)
    asyncio.run(_supervise(cradle, arguments))
    return 0
