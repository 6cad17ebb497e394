"""The one port map: which service listens where, and who holds a port that is taken.

Everything else that repeats a number is generated from :data:`PORTS`.
"""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

from harness.errors import PortConfigurationError, PortTakenError

OFFSET = "PORT_OFFSET"
LOOPBACK = ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1"))
RANDOM_ATTEMPTS = 50
# Who binds a port that another holds without listening needs an option that both have set. Ours are held in a way
# that our own listeners share, and nobody else: a second harness that tries it as it would be LENT is refused.
HELD, LENT, LISTENING = ("SO_REUSEPORT",), ("SO_REUSEADDR",), ("SO_REUSEADDR", "SO_REUSEPORT")
HIGHEST = 65535


@dataclass(frozen=True)
class Port:
    """A service's port: the variable that sets it and the number it has otherwise."""

    service: str
    variable: str
    default: int | None
    """None: any free one."""


PORTS = (
    Port("idp", "IDP_PORT", 9400),
    Port("ticketing", "TICKETING_MCP_PORT", 9000),
    Port("organizations", "ORGANIZATIONS_MCP_PORT", 9001),
    Port("api", "API_PORT", 8080),
    Port("ui", "UI_PORT", 4200),
)


@dataclass(frozen=True)
class Source:
    """One place where ports may be set: its name for people, and the variables found there."""

    name: str
    values: Mapping[str, str]


@dataclass(frozen=True)
class Choice:
    """The number one service was given, and by whom."""

    service: str
    number: int
    variable: str
    source: str


def configured(
    sources: Iterable[Source], wanted: Iterable[Port], *, used_by: Collection[str] | None = None
) -> dict[str, Choice]:
    """Resolve the ports ``wanted``: the first source that sets a variable wins, then the default.

    ``PORT_OFFSET`` shifts the defaults; a port that is set by its own variable is taken as it stands.
    Those ``used_by`` these services (None: all) must not clash.

    Raises:
        PortConfigurationError: with every bad value in one message.
    """
    sources = tuple(sources)
    problems: list[str] = []
    offset, _ = _number(OFFSET, sources, low=0, high=HIGHEST, problems=problems) or (0, "")
    choices = {}
    for port in wanted:
        found = _number(port.variable, sources, low=1, high=HIGHEST, problems=problems)
        if found is None and port.default is None:
            choices[port.service] = Choice(port.service, 0, port.variable, "any free port")
            continue
        number, source = found or (
            (port.default or 0) + offset,
            f"the default plus {OFFSET}" if offset else "the default",
        )
        if found is None and number > HIGHEST:
            problems.append(f"{OFFSET}={offset} puts {port.service} on {number}, past {HIGHEST}")
        choices[port.service] = Choice(port.service, number, port.variable, source)
    used = [choice for choice in choices.values() if used_by is None or choice.service in used_by]
    problems += _shared(used) + _privileged(used)
    if problems:
        raise PortConfigurationError(
            "the port configuration cannot be used",
            evidence="\n".join(problems),
            todo="correct the variables named above (flag > environment > .env > default)",
        )
    return choices


def _number(
    variable: str, sources: tuple[Source, ...], *, low: int, high: int, problems: list[str]
) -> tuple[int, str] | None:
    for source in sources:
        text = source.values.get(variable)
        if text is None or not text.strip():
            continue
        # int() takes more than people mean by a number: underscores, signs, other scripts' digits.
        if text.strip().isascii() and text.strip().isdigit() and low <= int(text.strip()[:9]) <= high:
            return int(text), source.name
        problems.append(f"{variable}={text!r} ({source.name}): a whole number from {low} to {high} is needed")
        return None
    return None


def _shared(choices: Iterable[Choice]) -> list[str]:
    holders: dict[int, list[Choice]] = {}
    for choice in choices:
        if choice.number:
            holders.setdefault(choice.number, []).append(choice)
    return [
        f"{' and '.join(f'{choice.variable} ({choice.source})' for choice in sharing)} are both {number}"
        for number, sharing in holders.items()
        if len(sharing) > 1
    ]


def _privileged(choices: Iterable[Choice]) -> list[str]:
    first = _first_unprivileged_port()
    return [
        f"{choice.variable}={choice.number} ({choice.source}): ports below {first} need rights this user does not have"
        for choice in choices
        if 0 < choice.number < first
    ]


def _first_unprivileged_port() -> int:
    if os.name == "nt" or os.geteuid() == 0:
        return 0
    limit = Path("/proc/sys/net/ipv4/ip_unprivileged_port_start")
    return int(limit.read_text(encoding="ascii")) if limit.exists() else 1024


class Reservation:
    """A port held for one service for as long as its stack lives.

    The held sockets are bound but never listen. :meth:`listen` gives a fresh pair that does, for one run of the
    service: when that process dies its port refuses connections, as it should, and a restart gets the same number.
    """

    def __init__(self, number: int, held: list[socket.socket]) -> None:
        self.number, self._held = number, held
        self._places = [(each.family, each.getsockname()[0]) for each in held]

    def listen(self) -> list[socket.socket]:
        """Listening sockets on every loopback address; connections queue until the service accepts them."""
        sockets = [_bound(*place, self.number, LISTENING) for place in self._places]
        for listening in sockets:
            listening.listen(128)
            listening.set_inheritable(True)
        return sockets

    def lend(self) -> None:
        """Let a program of its own bind the port: any that sets ``SO_REUSEADDR``, as nearly all do."""
        self.close()
        for place in self._places if os.name != "nt" else ():
            self._held.append(_bound(*place, self.number, LENT))

    def close(self) -> None:
        """Give the port back."""
        while self._held:
            self._held.pop().close()


def reserve(number: int) -> Reservation:
    """Hold ``number`` on 127.0.0.1 and ::1; 0 takes a free one.

    Raises:
        OSError: ``EADDRINUSE`` when somebody else has it.
    """
    for _ in range(RANDOM_ATTEMPTS if number == 0 else 1):
        held: list[socket.socket] = []
        chosen = number
        try:
            for family, address in _loopback():
                if number:
                    _bound(family, address, chosen, LENT).close()
                held.append(_held(family, address, chosen))
                chosen = held[-1].getsockname()[1]
        except OSError:
            for each in held:
                each.close()
            if number:
                raise
        else:
            return Reservation(chosen, held)
    raise OSError(errno.EADDRINUSE, f"no port is free on all of {', '.join(address for _, address in _loopback())}")


def _loopback() -> list[tuple[socket.AddressFamily, str]]:
    return [(family, address) for family, address in LOOPBACK if family == socket.AF_INET or _has_ipv6()]


def _has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


def _held(family: int, address: str, number: int) -> socket.socket:
    try:
        return _bound(family, address, number, HELD)
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        # Connections of another server that has ended linger (TIME_WAIT), and it did not share its port.
        return _bound(family, address, number, LISTENING)


def _bound(family: int, address: str, number: int, shared_by: tuple[str, ...]) -> socket.socket:
    # asyncio sets TCP_NODELAY only on sockets that name their protocol; without it each answer waits 40 ms.
    made = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        for option in shared_by if os.name != "nt" else ():
            made.setsockopt(socket.SOL_SOCKET, getattr(socket, option), 1)
        if family == socket.AF_INET6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        made.bind((address, number))
    except OSError:
        made.close()
        raise
    return made


@dataclass(frozen=True)
class Holder:
    """The process that listens on a port; fields are empty where the system does not tell."""

    pid: int | None
    command: str
    folder: str
    owner: str

    def __str__(self) -> str:
        if self.pid is None:
            return "a process that this user may not inspect"
        told = [f"pid {self.pid}", f"command: {self.command or '?'}", f"working directory: {self.folder or '?'}"]
        return ", ".join([*told, f"owner: {self.owner or '?'}"])


def holder(number: int) -> Holder:
    """Who listens on ``number`` on this machine."""
    try:
        connections = psutil.net_connections("tcp")
    except psutil.AccessDenied:
        return Holder(None, "", "", "")
    pids = [
        c.pid for c in connections if c.status == psutil.CONN_LISTEN and c.laddr and c.laddr.port == number and c.pid
    ]
    for pid in pids:
        try:
            process = psutil.Process(pid)
            told = process.as_dict(["cmdline", "cwd", "username", "name"], ad_value=None)
        except psutil.NoSuchProcess:
            continue
        command = " ".join(told["cmdline"] or []) or told["name"] or ""
        return Holder(pid, command[:200], told["cwd"] or "", told["username"] or "")
    return Holder(None, "", "", "")


def reserve_all(choices: Mapping[str, Choice]) -> dict[str, Reservation]:
    """Hold every chosen port, or none of them.

    Raises:
        PortTakenError: names each taken port, its holder and what to do.
    """
    held: dict[str, Reservation] = {}
    taken: list[Choice] = []
    for service, choice in choices.items():
        try:
            held[service] = reserve(choice.number)
        except OSError as error:
            if error.errno not in (errno.EADDRINUSE, errno.EACCES):
                raise
            taken.append(choice)
    if taken:
        for reservation in held.values():
            reservation.close()
        raise PortTakenError(
            f"{len(taken)} of {len(choices)} ports are taken; nothing was started",
            evidence="\n".join(f"{c.number} for {c.service} ({c.variable}): {holder(c.number)}" for c in taken),
            todo=f"stop that process, or choose other ports: --ports random, {OFFSET}=100, or {taken[0].variable}=…",
        )
    return held
