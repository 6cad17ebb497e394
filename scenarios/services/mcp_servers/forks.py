"""Python programs that begin with their imports done: forked from one process that has done these for all of them.

A program that needs FastMCP spends two seconds of a processor before its first line; a fork has that behind it. All
else is its own: environment, folder, arguments, standard files. POSIX only.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

from harness.bootstrap import child_environment
from harness.environ import QUIET_LIBRARIES
from harness.inbox import CHUNK, Inbox
from harness.tether import follow_parent
from harness.topology import ROOT

ENDS_WITHIN_S = 60.0
ABOVE_THE_GIVEN = 64
"""Where files are put aside while their places are taken by others."""


class Forks:
    """A process that has imported ``modules``, and what is forked from it. It does not outlive this one."""

    def __init__(self, *modules: str, home: Path) -> None:
        self._channel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", __name__, str(theirs.fileno()), *modules],
                cwd=ROOT, env=child_environment(os.environ) | QUIET_LIBRARIES | {"HOME": str(home)},
                stdin=subprocess.DEVNULL, pass_fds=[theirs.fileno()],
            )  # fmt: skip
        self._unread = b""
        self._begun: list[int] = []
        self._codes: dict[int, int] = {}

    def begin(self, program: str, *arguments: str, env: Mapping[str, str], files: Sequence[int], folder: Path) -> int:
        """Begin ``module:function`` as a process; ``files`` become its descriptors from 0 on. Returns its pid."""
        asked = {"program": program, "arguments": arguments, "env": dict(env), "folder": str(folder)}
        line = json.dumps(asked | {"sockets": len(files)}).encode() + b"\n"
        self._channel.sendall(line[socket.send_fds(self._channel, [line], files) :])
        while not self._begun:
            self._listen(ENDS_WITHIN_S)
        return self._begun.pop()

    def code(self, pid: int, *, within: float = 0.0) -> int | None:
        """What that process ended with, as soon as it has; None if it lives on."""
        deadline = time.monotonic() + within
        while pid not in self._codes:
            left = deadline - time.monotonic()
            if not select.select([self._channel], [], [], max(left, 0.0))[0]:
                return None
            self._listen(ENDS_WITHIN_S)
        return self._codes[pid]

    def run(
        self, program: str, *arguments: str, env: Mapping[str, str], folder: Path, answer: str = ""
    ) -> subprocess.CompletedProcess[str]:
        """Run a program to its end, like ``subprocess.run``; ``answer`` is what it can read."""
        with contextlib.ExitStack() as opened:
            files = [opened.enter_context(tempfile.TemporaryFile()) for _ in range(3)]
            files[0].write(answer.encode())
            files[0].seek(0)
            numbers = [file.fileno() for file in files]
            pid = self.begin(program, *arguments, env=env, files=numbers, folder=folder)
            code = self.code(pid, within=ENDS_WITHIN_S)
            if code is None:
                os.kill(pid, signal.SIGKILL)
                raise subprocess.TimeoutExpired([program, *arguments], ENDS_WITHIN_S)
            for file in files:
                file.seek(0)
            said, complained = (file.read().decode() for file in files[1:])
        return subprocess.CompletedProcess([program, *arguments], code, said, complained)

    def close(self) -> None:
        """End it and all that are left."""
        self._channel.close()
        self._process.wait(timeout=ENDS_WITHIN_S)

    def _listen(self, within: float) -> None:
        if not select.select([self._channel], [], [], within)[0]:
            raise TimeoutError(f"nothing is forked within {within:g} s")
        chunk = self._channel.recv(CHUNK)
        if not chunk:
            raise RuntimeError(f"what programs are forked from has ended: {self._process.wait()}")
        *lines, self._unread = (self._unread + chunk).split(b"\n")
        for pid, code in map(json.loads, lines):
            if code is None:
                self._codes.pop(pid, None)  # of who had that number before
                self._begun.append(pid)
            else:
                self._codes[pid] = code


def main(channel: int, modules: Sequence[str]) -> None:
    """Import ``modules``, and fork what is asked for until nobody asks any more."""
    follow_parent(yes=True)
    for module in modules:
        importlib.import_module(module)
    gc.freeze()
    inbox = Inbox(socket.socket(fileno=channel))
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever asks decides
    while True:
        while (taken := inbox.take()) is not None:
            pid = os.fork()
            if pid == 0:
                inbox.close()
                for number in (woken, wake):
                    os.close(number)
                _become(*taken)
            for number in taken[1]:
                os.close(number)
            _tell(inbox.channel, pid, None)
        readable = select.select([channel, woken], [], [])[0]
        if woken in readable:
            os.read(woken, CHUNK)
            _tell_exits(inbox.channel)
        if channel in readable and not inbox.read():
            return


def _become(asked: Mapping[str, Any], files: Sequence[int]) -> NoReturn:
    code = 1
    try:
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGCHLD, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL if number == signal.SIGCHLD else signal.default_int_handler)
        os.setsid()
        follow_parent(yes=True)
        _take(files)
        os.environ.clear()
        os.environ.update(asked["env"])
        os.chdir(asked["folder"])
        module, _, function = asked["program"].partition(":")
        sys.argv = [module, *asked["arguments"]]
        sys.exit(getattr(importlib.import_module(module), function)())
    except SystemExit as ended:
        code = _code(ended)
    except BaseException:  # noqa: BLE001  # a forked child must never return into its parent's code
        sys.excepthook(*sys.exc_info())
    finally:
        with contextlib.suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def _take(files: Sequence[int]) -> None:
    """Give them the numbers from 0 on, and Python the first three."""
    import fcntl  # noqa: PLC0415  # not on Windows, where this file is only imported

    aside = [fcntl.fcntl(number, fcntl.F_DUPFD, ABOVE_THE_GIVEN) for number in files]
    for number in files:
        os.close(number)
    for number, file in enumerate(aside):
        os.dup2(file, number)
        os.close(file)
    sys.stdin, sys.stdout, sys.stderr = (
        open(number, mode, encoding="utf-8", closefd=False)  # noqa: SIM115  # they stay open
        for number, mode in enumerate(("r", "w", "w"))
    )


def _code(ended: SystemExit) -> int:
    """As the interpreter does it."""
    if ended.code is None or isinstance(ended.code, int):
        return ended.code or 0
    sys.stderr.write(f"{ended.code}\n")
    return 1


def _tell(channel: socket.socket, pid: int, code: int | None) -> None:
    with contextlib.suppress(BrokenPipeError):
        channel.sendall(json.dumps([pid, code]).encode() + b"\n")


def _tell_exits(channel: socket.socket) -> None:
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        _tell(channel, pid, os.waitstatus_to_exitcode(status))


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
