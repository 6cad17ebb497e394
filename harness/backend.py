"""The supervisor's side of the processes that bear services: zygotes, warm or cold."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import psutil

from harness import environ, leash, plan, project
from harness.cradle import Cradle
from harness.lifecycle import Event, Exited, Spawned
from harness.topology import ROOT, Kind, Service

Report: TypeAlias = Callable[[Event], None]
KILLED = -9
CHUNK = 1 << 16
ENDS_IN_S = 5.0
WORKERS = "PYTEST_XDIST_WORKER_COUNT"


def processors() -> int:
    """How many processors this supervisor may count on: as many again belong to the other workers of a test run."""
    return max(1, (os.cpu_count() or 1) // int(os.environ.get(WORKERS, "1")))


@dataclass(frozen=True)
class Birth:
    """A process for ``service``: its whole environment, the log its output is appended to, and what a cold one runs."""

    service: Service
    command: Sequence[str]
    env: Mapping[str, str]
    log: Path


class Backend:
    """Starts services and reports what becomes of them; policy is not its business.

    ``zygote`` forks them from processes in which ``services`` are built and rehearsed (POSIX); ``process`` gives each a
    fresh interpreter. Either way their parent is a zygote process, which outlives us just long enough to end them.
    """

    def __init__(self, kind: Kind, services: Sequence[str], cradle: Cradle, *, watch: bool = False) -> None:
        """The process in ``cradle`` becomes the zygotes; those that replace them carry the same mark.

        With ``watch`` a service is built when it starts, from its sources, in a process that has the libraries.
        """
        self.mark = cradle.mark
        self._watch = watch
        families = plan.families(services, processors()) if kind == "zygote" and not watch else [()]
        # Starting cold is nothing but processor time: more at once than there are processors delays the longest.
        self.starts_at_once = len(project.services()) if kind == "zygote" else processors()
        self._ending = False
        self._zygotes = self._made(families, cradle)

    def start(self, birth: Birth, sockets: Sequence[socket.socket], report: Report) -> None:
        """Start a service on listening ``sockets``.

        ``report`` gets :class:`Spawned`, later :class:`Exited`, on the event loop's thread.
        """
        zygote = next((each for each in self._zygotes if birth.service.name in each.family), self._zygotes[0])
        zygote.start(birth, sockets, report)

    def strays(self, nonce: str = "", service: str | None = None) -> list[psutil.Process]:
        """What services had started and left, so that it has come to the zygotes.

        Only those of the stack ``nonce`` (none: of any) and of one ``service`` (None: of all).
        """
        known = {pid for zygote in self._zygotes for pid in zygote.known()}
        found = []
        for zygote in self._zygotes:
            for process in leash.children(zygote.pid):
                with contextlib.suppress(psutil.Error):
                    if process.pid in known:
                        continue
                    told = process.environ()
                    if told.get(environ.NONCE, "").startswith(nonce) and service in (None, told.get("HARNESS_SERVICE")):
                        found.append(process)
        return found

    def close(self) -> None:
        """Let go of the zygotes; they end whatever is left and then themselves."""
        for zygote in self._zygotes:
            zygote.hang_up()
        for zygote in self._zygotes:
            zygote.wait()

    def end_warming(self) -> None:
        """End zygotes that are not ready yet, and take no new ones: the system is going down."""
        self._ending = True
        for zygote in self._zygotes:
            zygote.end_warming()

    def _replace(self, lost: _Zygote) -> None:
        """A zygote died. The kernel has killed its services with it; what those had started has come to us.

        One that died before it was ready would die again: a cold one takes its place, and the services show why.
        """
        living = {zygote.pid for zygote in self._zygotes if zygote is not lost}
        leash.end_children(grace=0.0, spared=living)
        if not self._ending:
            family = lost.family if lost.ready else ()
            self._zygotes[self._zygotes.index(lost)] = self._made([family], Cradle(self.mark))[0]

    def _made(self, families: Sequence[Sequence[str]], cradle: Cradle) -> list[_Zygote]:
        """A zygote for each of ``families``: the process in ``cradle`` divides into them."""
        pairs = [socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM) for _ in families[1:]]
        theirs = [pair[1] for pair in pairs]
        wanted = [
            {"warm": {name: _rehearsed(name) for name in family}, "libraries": self._libraries(family)}
            for family in families
        ]
        tell(cradle.channel, {"families": wanted, "sockets": len(theirs)}, theirs)
        for each in theirs:
            each.close()
        channels = [cradle.channel, *(pair[0] for pair in pairs)]
        return [
            _Zygote(family, channel, cradle.process, self._replace)
            for family, channel in zip(families, channels, strict=True)
        ]

    def _libraries(self, family: Sequence[str]) -> Sequence[str]:
        return plan.libraries(None if self._watch else family)


class _Zygote:
    """One zygote process, and whom to tell about its children."""

    def __init__(
        self,
        family: Sequence[str],
        channel: socket.socket,
        process: subprocess.Popen[bytes],
        on_loss: Callable[[_Zygote], None],
    ) -> None:
        """``process`` is the one that was started: this zygote, or the one it divided from."""
        self.family, self._channel, self._started, self._on_loss = tuple(family), channel, process, on_loss
        self._asked: deque[Report] = deque()
        self._children: dict[int, Report] = {}
        self._unread = b""
        self.ready = False
        self.pid = process.pid
        asyncio.get_running_loop().add_reader(channel, self._readable)

    def start(self, birth: Birth, sockets: Sequence[socket.socket], report: Report) -> None:
        service = birth.service
        asked = {
            "service": service.name,
            "app": service.app if service.own else None,
            "command": birth.command,
            "env": birth.env,
            "log": str(birth.log),
            "folder": str(ROOT if service.own else project.folder()),
        }
        self._asked.append(report)
        try:
            tell(self._channel, {"start": asked, "sockets": len(sockets)}, sockets)
        except BrokenPipeError:
            self._lost()

    def known(self) -> Iterator[int]:
        yield self.pid
        yield from self._children

    def end_warming(self) -> None:
        if not self.ready:  # it has no children yet, and would look at its channel only when it is warm
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)

    def hang_up(self) -> None:
        if self._channel.fileno() >= 0:
            asyncio.get_running_loop().remove_reader(self._channel)
            self._channel.close()
        self.end_warming()

    def wait(self) -> None:
        if self.pid == self._started.pid:
            self._started.wait()
        elif psutil.pid_exists(self.pid):
            leash.wait_gone([psutil.Process(self.pid)], timeout=ENDS_IN_S)

    def _readable(self) -> None:
        try:
            chunk = self._channel.recv(CHUNK)
        except ConnectionResetError:  # it died with something of ours unread
            chunk = b""
        if not chunk:
            self._lost()
            return
        *lines, self._unread = (self._unread + chunk).split(b"\n")
        for line in lines:
            self._told(json.loads(line))

    def _told(self, what: Mapping[str, Any]) -> None:
        match what:
            case {"pid": int(pid)}:
                self.pid = pid
            case {"ready": _}:
                self.ready = True
            case {"started": int(pid)}:
                report = self._asked.popleft()
                self._children[pid] = report
                report(Spawned(pid))
            case {"failed": _}:
                self._asked.popleft()(Exited(1))
            case {"exited": int(pid), "code": int(code)} if pid in self._children:
                self._children.pop(pid)(Exited(code))

    def _lost(self) -> None:
        asyncio.get_running_loop().remove_reader(self._channel)
        self._channel.close()
        self.wait()
        left, self._children, self._asked = [*self._children.values(), *self._asked], {}, deque()
        self._on_loss(self)
        for report in left:
            report(Exited(KILLED))


def tell(channel: socket.socket, what: Mapping[str, Any], sockets: Sequence[socket.socket] = ()) -> None:
    """Send a zygote a line, and ``sockets`` with it."""
    line = json.dumps(what).encode() + b"\n"
    sent = socket.send_fds(channel, [line], [each.fileno() for each in sockets])
    channel.sendall(line[sent:])


def _rehearsed(name: str) -> dict[str, Any]:
    service = project.services()[name]
    return {"app": service.app, "health": service.health, "env": plan.rehearsal_environment(name, os.environ)}
