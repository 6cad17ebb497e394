"""The parent of all services: ``python -m harness.zygote``, one per supervisor.

It bears services in one of two ways. *Warm*: it has imported the libraries and built and rehearsed every app, and
forks a child that adopts the listening sockets and serves (some 10 ms). *Cold*: a fresh interpreter per service. Either
way it is the subreaper of whatever its services start, and when its supervisor is gone it ends all of them.

It speaks JSON lines over a socket pair, sockets attached to the request. The first line says what to warm:
``{"warm": {name: {app, health, env}}}``. ``{"start": {…}}`` is answered by ``{"started": pid}``; ``{"exited": pid,
"code": n}`` comes whenever a child has ended.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

import psutil

from harness import leash, serve

GRACE_S = 1.0
MOST_SOCKETS = 4
MOST_BYTES = 1 << 18


class Zygote:
    """The main loop: requests in, reports out. ``apps`` are the warm ones, by service."""

    def __init__(self, channel: socket.socket, apps: Mapping[str, Any]) -> None:
        self._channel, self._apps = channel, apps
        # The children's leash: nobody writes into it, and its end of file is this process' death.
        self._leash, self._held = os.pipe()
        self._woken, self._wake = os.pipe()
        os.set_blocking(self._wake, False)
        signal.set_wakeup_fd(self._wake, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)

    def run(self) -> None:
        """Serve until the supervisor's end of the channel closes."""
        self._tell({"ready": os.getpid()})
        while True:
            readable, _, _ = select.select([self._channel.fileno(), self._woken], [], [])
            if self._woken in readable:
                os.read(self._woken, 4096)
                self._report_exits()
            if self._channel.fileno() in readable:
                line, descriptors = self._request()
                if not line:
                    return
                self._start(json.loads(line)["start"], descriptors)

    def _request(self) -> tuple[bytes, list[int]]:
        line, descriptors, _, _ = socket.recv_fds(self._channel, MOST_BYTES, MOST_SOCKETS)
        while line and not line.endswith(b"\n"):
            line += self._channel.recv(MOST_BYTES)
        return line, list(descriptors)

    def _start(self, asked: Mapping[str, Any], descriptors: list[int]) -> None:
        try:
            warm = self._apps.get(asked["service"])
            pid = self._fork(asked, descriptors, warm) if warm is not None else self._execute(asked, descriptors)
            self._tell({"started": pid})
        except OSError as error:
            self._tell({"failed": f"{type(error).__name__}: {error}"})
        finally:
            for descriptor in descriptors:
                os.close(descriptor)

    def _fork(self, asked: Mapping[str, Any], descriptors: list[int], app: Any) -> int:
        pid = os.fork()
        if pid == 0:
            self._become(asked, descriptors, app)
        return pid

    def _become(self, asked: Mapping[str, Any], descriptors: list[int], app: Any) -> NoReturn:
        code = 1
        try:
            os.setsid()
            signal.set_wakeup_fd(-1)
            for number in (signal.SIGCHLD, signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                signal.signal(number, signal.SIG_DFL)
            for descriptor in (self._held, self._woken, self._wake):
                os.close(descriptor)
            self._channel.close()
            _redirect(asked["log"])
            os.environ.clear()
            os.environ.update(asked["env"])
            gc.enable()
            leash.die_with_parent(self._leash)
            code = serve.run(app, descriptors)
        except SystemExit as ended:  # uvicorn's way to say that the lifespan did not start
            code = ended.code if isinstance(ended.code, int) else 1
        except BaseException:  # noqa: BLE001  # a forked child must never return into its parent's code
            sys.excepthook(*sys.exc_info())
        finally:
            with contextlib.suppress(Exception):
                sys.stdout.flush()
                sys.stderr.flush()
            os._exit(code)

    def _execute(self, asked: Mapping[str, Any], descriptors: list[int]) -> int:
        with Path(asked["log"]).open("ab") as output:
            child = subprocess.Popen(
                [*asked["command"], *self._tied(descriptors)],
                cwd=asked["folder"],
                env=asked["env"],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                pass_fds=(*descriptors, self._leash),
                start_new_session=True,
                preexec_fn=_follow_parent,  # noqa: PLW1509  # this process has one thread
            )
        child.returncode = 0  # reaped by the main loop: Popen must neither wait for it nor warn about it
        return child.pid

    def _tied(self, descriptors: Sequence[int]) -> list[str]:
        """What our server of an app is told; a program that listens for itself is given no sockets and no leash."""
        if not descriptors:
            return []
        return ["--leash", str(self._leash), *(part for each in descriptors for part in ("--fd", str(each)))]

    def _report_exits(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            self._tell({"exited": pid, "code": os.waitstatus_to_exitcode(status)})

    def _tell(self, what: Mapping[str, Any]) -> None:
        with contextlib.suppress(BrokenPipeError):
            self._channel.sendall(json.dumps(what).encode() + b"\n")


def _follow_parent() -> None:
    leash.follow_parent(yes=True)


def _redirect(log: str) -> None:
    output = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((nothing, 0), (output, 1), (output, 2)):
        os.dup2(source, target)
    os.close(nothing)
    os.close(output)


def _first_line(channel: socket.socket) -> bytes:
    """What to warm, byte by byte: behind it there may be a request already, with sockets that must not be lost."""
    line = b""
    while not line.endswith(b"\n"):
        byte = channel.recv(1)
        if not byte:
            raise SystemExit(0)  # the supervisor has gone already
        line += byte
    return line


def threads() -> int:
    """How many threads this process has, counting those that Python does not know of where the system tells."""
    tasks = Path("/proc/self/task")
    return len(list(tasks.iterdir())) if tasks.is_dir() else threading.active_count()


def main(argv: Sequence[str] | None = None) -> int:
    """Bear services until the supervisor is gone; then end all there are."""
    parser = argparse.ArgumentParser(prog="python -m harness.zygote")
    parser.add_argument("--channel", type=int, required=True)
    parser.add_argument("--parent", type=int, required=True)
    arguments = parser.parse_args(argv)
    leash.adopt_orphans()
    leash.follow_parent(yes=True)  # while it warms up it does not look at the channel
    if os.getppid() != arguments.parent:  # it died before we could follow it
        return 0
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: None)  # its supervisor decides; unlike SIG_IGN, this ends with an exec
    apps: dict[str, Any] = {}
    channel = socket.socket(fileno=arguments.channel)
    warm = json.loads(_first_line(channel))["warm"]
    if warm:
        from harness import rehearsal  # noqa: PLC0415  # loads every library the services use

        gc.disable()
        apps = rehearsal.rehearse(warm)
        gc.collect()
        gc.freeze()
        if threads() != 1:
            raise SystemExit(f"the zygote has {threads()} threads and must have one: {threading.enumerate()}")
    leash.follow_parent(yes=False)  # from here on the channel tells, and there may be others to end first
    try:
        Zygote(channel, apps).run()
    finally:
        leash.end(psutil.Process().children(recursive=True), grace=GRACE_S)
    return 0


if __name__ == "__main__":
    sys.exit(main())
