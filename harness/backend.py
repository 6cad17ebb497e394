"""The supervisor's side of the processes that bear services: zygotes, warm or cold."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import psutil

from harness import leash, plan, project
from harness.bootstrap import child_environment
from harness.lifecycle import Event, Exited, Spawned
from harness.topology import ROOT, Kind, Service

Report: TypeAlias = Callable[[Event], None]
KILLED = -9
CHUNK = 1 << 16


class Backend:
    """Starts services and reports what becomes of them; policy is not its business.

    ``zygote`` forks them from processes in which ``services`` are built and rehearsed (POSIX); ``process`` gives each a
    fresh interpreter. Either way their parent is a zygote process, which outlives us just long enough to end them.
    """

    def __init__(self, kind: Kind, services: Sequence[str]) -> None:
        families = plan.families(services) if kind == "zygote" else [()]
        # Starting cold is nothing but processor time: more at once than there are processors delays the longest.
        self.starts_at_once = len(project.services()) if kind == "zygote" else os.cpu_count() or 1
        self._ending = False
        self._zygotes = [_Zygote(family, self._replace) for family in families]

    def start(
        self,
        service: Service,
        sockets: Sequence[socket.socket],
        *,
        command: Sequence[str],
        env: Mapping[str, str],
        log: Path,
        report: Report,
    ) -> None:
        """Start ``service`` on listening ``sockets``, its output appended to ``log``.

        ``report`` gets :class:`Spawned`, later :class:`Exited`, on the event loop's thread.
        """
        zygote = next((each for each in self._zygotes if service.name in each.family), self._zygotes[0])
        zygote.start(service, sockets, command=command, env=env, log=log, report=report)

    def close(self) -> None:
        """Let go of the zygotes; they end whatever is left and then themselves."""
        for zygote in self._zygotes:
            zygote.close()

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
        leash.end([child for child in psutil.Process().children() if child.pid not in living], grace=0.0)
        if not self._ending:
            family = lost.family if lost.ready else ()
            self._zygotes[self._zygotes.index(lost)] = _Zygote(family, self._replace)


class _Zygote:
    """One zygote process, and whom to tell about its children."""

    def __init__(self, family: Sequence[str], on_loss: Callable[[_Zygote], None]) -> None:
        self.family = tuple(family)
        self._on_loss = on_loss
        self._channel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        self._asked: deque[Report] = deque()
        self._children: dict[int, Report] = {}
        self._unread = b""
        self.ready = False
        command = [
            sys.executable,
            "-m",
            "harness.zygote",
            "--channel",
            str(theirs.fileno()),
            "--parent",
            str(os.getpid()),
        ]
        self._process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=child_environment(os.environ) | plan.QUIET_LIBRARIES,
            stdin=subprocess.DEVNULL,
            pass_fds=[theirs.fileno()],
            start_new_session=True,
        )
        theirs.close()
        warm = {"warm": {name: _rehearsed(name) for name in self.family}}
        self._channel.sendall(json.dumps(warm).encode() + b"\n")
        self.pid = self._process.pid
        asyncio.get_running_loop().add_reader(self._channel, self._readable)

    def start(
        self,
        service: Service,
        sockets: Sequence[socket.socket],
        *,
        command: Sequence[str],
        env: Mapping[str, str],
        log: Path,
        report: Report,
    ) -> None:
        folder = ROOT if service.own else project.folder()
        asked = {"service": service.name, "env": env, "log": str(log), "folder": str(folder), "command": command}
        self._asked.append(report)
        line = json.dumps({"start": asked}).encode() + b"\n"
        try:
            sent = socket.send_fds(self._channel, [line], [each.fileno() for each in sockets])
            self._channel.sendall(line[sent:])
        except BrokenPipeError:
            self._lost()

    def end_warming(self) -> None:
        if not self.ready:  # it has no children yet, and would look at its channel only when it is warm
            self._process.kill()

    def close(self) -> None:
        if self._channel.fileno() >= 0:
            asyncio.get_running_loop().remove_reader(self._channel)
            self._channel.close()
        self.end_warming()
        self._process.wait()

    def _readable(self) -> None:
        chunk = self._channel.recv(CHUNK)
        if not chunk:
            self._lost()
            return
        *lines, self._unread = (self._unread + chunk).split(b"\n")
        for line in lines:
            self._told(json.loads(line))

    def _told(self, what: Mapping[str, Any]) -> None:
        match what:
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
        self._process.wait()
        left, self._children, self._asked = [*self._children.values(), *self._asked], {}, deque()
        self._on_loss(self)
        for report in left:
            report(Exited(KILLED))


def _rehearsed(name: str) -> dict[str, Any]:
    service = project.services()[name]
    return {"app": service.app, "health": service.health, "env": plan.rehearsal_environment(name, os.environ)}
