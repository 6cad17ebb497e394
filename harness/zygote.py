"""The parent of all services: ``python -m harness.zygote``, one or two per supervisor.

It bears services in one of two ways. *Warm*: it has imported the libraries and built and rehearsed every app, and
forks a child that adopts the listening sockets and serves (some 20 ms). *Cold*: a fresh interpreter per service. Either
way it is the subreaper of whatever its services start, and when its supervisor is gone it ends all of them.

It speaks JSON lines over a socket pair, sockets attached to the request. The first line says what to warm:
``{"families": [{"warm": {name: {app, health, env}}, "libraries": […]}]}``. ``{"start": {…}}`` is answered by
``{"started": pid}``; ``{"exited": pid, "code": n}`` comes whenever a child has ended. Given several families, and a
channel for each further one, it loads the libraries that all of them name and then divides: a process for each, which
load and warm what is theirs alone at the same time.
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
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

from harness import leash, serve, tether, validators
from harness.inbox import Inbox

GRACE_S = 1.0
QUIET_S = 0.1
THREADS_GONE_IN_S = 5.0


class Zygote:
    """The main loop: requests in, reports out. ``apps`` are the warm ones, by service."""

    def __init__(self, inbox: Inbox, apps: Mapping[str, Any], *, builds: bool) -> None:
        """With ``builds`` an app that is not there is built in the fork, from its sources as they are then."""
        self._inbox, self._channel, self._apps, self._builds = inbox, inbox.channel, apps, builds
        # The children's leash: nobody writes into it, and its end of file is this process' death.
        self._leash, self._held = os.pipe()
        self._woken, self._wake = os.pipe()
        os.set_blocking(self._wake, False)
        signal.set_wakeup_fd(self._wake, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        self._unmade = validators.missing()
        self._born: set[str] = set()

    def run(self) -> None:
        """Serve until the supervisor's end of the channel closes."""
        tell(self._channel, {"ready": True})
        while True:
            while (taken := self._inbox.take()) is not None:
                self._start(taken[0]["start"], taken[1])
            readable = self._news()
            if self._woken in readable:
                os.read(self._woken, 4096)
                self._report_exits()
            if self._channel.fileno() in readable and not self._inbox.read():
                return

    def _news(self) -> list[int]:
        """Wait for a request or a death. Once it is quiet, make what was put off, for those who are born later."""
        wanted, quiet_for = [self._channel.fileno(), self._woken], QUIET_S
        while self._unmade:
            if readable := select.select(wanted, [], [], quiet_for)[0]:
                return readable
            self._make_one()
            quiet_for = 0.0
        return select.select(wanted, [], [])[0]

    def _make_one(self) -> None:
        validators.make(self._unmade.pop())
        if not self._unmade:
            gc.freeze()

    def _start(self, asked: Mapping[str, Any], descriptors: list[int]) -> None:
        try:
            build = self._builder(asked)
            pid = self._execute(asked, descriptors) if build is None else self._fork(asked, descriptors, build)
            tell(self._channel, {"started": pid})
        except Exception as error:  # noqa: BLE001  # one bad service must not take the others with it
            with contextlib.suppress(OSError), Path(asked["log"]).open("a", encoding="utf-8") as log:
                log.write(f"{asked['service']} could not be started: {error}\n")
            tell(self._channel, {"failed": True})
        finally:
            for descriptor in descriptors:
                os.close(descriptor)

    def _builder(self, asked: Mapping[str, Any]) -> Callable[[], Any] | None:
        """What gives the app in a fork; None when it needs a process of its own."""
        app = self._apps.get(asked["service"])
        if app is not None:
            return lambda: app
        if self._builds and asked["app"] is not None:
            return lambda: serve.build(asked["app"])
        return None

    def _fork(self, asked: Mapping[str, Any], descriptors: list[int], build: Callable[[], Any]) -> int:
        """Bear a service. Who comes again will come often: what was put off is made once here, not in each of them."""
        while asked["service"] in self._born and self._unmade:
            self._make_one()
        self._born.add(asked["service"])
        pid = os.fork()
        if pid == 0:
            self._become(asked, descriptors, build)
        return pid

    def _become(self, asked: Mapping[str, Any], descriptors: list[int], build: Callable[[], Any]) -> NoReturn:
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
            tether.die_with_parent(self._leash)
            code = serve.run(build(), descriptors)
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
            tell(self._channel, {"exited": pid, "code": os.waitstatus_to_exitcode(status)})


def _follow_parent() -> None:
    tether.follow_parent(yes=True)


def _redirect(log: str) -> None:
    output = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((nothing, 0), (output, 1), (output, 2)):
        os.dup2(source, target)
    os.close(nothing)
    os.close(output)


def tell(channel: socket.socket, what: Mapping[str, Any]) -> None:
    """Send the supervisor a line; one who is gone is found out when we next read."""
    with contextlib.suppress(BrokenPipeError):
        channel.sendall(json.dumps(what).encode() + b"\n")


def _be_single_threaded() -> None:
    """A fork takes only the thread that forks along; the locks of others would stay held in it for ever."""
    deadline = time.monotonic() + THREADS_GONE_IN_S
    while threads() != 1:  # the system takes a moment longer than Python to be rid of one
        if time.monotonic() >= deadline:
            raise SystemExit(f"the zygote has {threads()} threads and must have one: {threading.enumerate()}")
        time.sleep(0.001)


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
    _warm_under(arguments.parent)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: None)  # its supervisor decides; unlike SIG_IGN, this ends with an exec
    inbox, family = _become_one(Inbox(socket.socket(fileno=arguments.channel)))
    tell(inbox.channel, {"pid": os.getpid()})
    warm, libraries = family["warm"], family["libraries"]
    validators.load(libraries)
    apps = _warmed(warm) if libraries or warm else {}
    tether.follow_parent(yes=False)  # from here on the channel tells, and there may be others to end first
    try:
        Zygote(inbox, apps, builds=bool(libraries) and not warm).run()
    finally:
        leash.end_children(grace=GRACE_S)
    return 0


def _warm_under(parent: int) -> None:
    """Until it is warm, a zygote does not look at its channel: it ends with ``parent``, by the kernel's hand."""
    tether.adopt_orphans()
    tether.follow_parent(yes=True)
    if os.getppid() != parent:  # it died before we could follow it
        raise SystemExit(0)


def _become_one(first: Inbox) -> tuple[Inbox, Mapping[str, Any]]:
    """Learn of the families, load what they share and divide into a process for each: its inbox, and what is its."""
    asked, channels = first.wait()
    families: Sequence[Mapping[str, Any]] = asked["families"]
    if any(each["libraries"] or each["warm"] for each in families):
        gc.disable()
    validators.load([name for name in families[0]["libraries"] if all(name in each["libraries"] for each in families)])
    inboxes = [first, *(Inbox(socket.socket(fileno=number)) for number in channels)]
    mine = _divide(len(families))
    for other in inboxes[:mine] + inboxes[mine + 1 :]:
        other.close()
    return inboxes[mine], families[mine]


def _divide(parts: int) -> int:
    """Fork until there is a process for each of ``parts``; returns which one this is."""
    first = os.getpid()
    for part in range(1, parts):
        if os.fork() == 0:
            _warm_under(first)
            return part
    return 0


def _warmed(services: Mapping[str, Any]) -> Mapping[str, Any]:
    from harness import rehearsal  # noqa: PLC0415  # loads every library the services use

    apps = rehearsal.rehearse(services)
    gc.freeze()  # without collecting first: that takes longer than what little it would free is worth
    _be_single_threaded()
    return apps


if __name__ == "__main__":
    sys.exit(main())
