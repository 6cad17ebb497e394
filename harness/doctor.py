"""What could keep the harness from working on this machine, each with its fix. Looks only; changes nothing."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import re
import shutil
import socket
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

from harness import bootstrap, browser, bundle, launch, leash, modules, occupancy, project, state
from harness.errors import HarnessError
from harness.plan import closure
from harness.ports import LOOPBACK, OFFSET

State: TypeAlias = Literal["ok", "hint", "broken"]
GIB = 1 << 30
DISK_COMFORTABLE, DISK_LEAST = 2 * GIB, GIB // 4
DESCRIPTORS_COMFORTABLE = 1024
PINNED = re.compile(r"^([\w.-]+)==([^\s;]+)", re.MULTILINE)


@dataclass(frozen=True)
class Finding:
    """What one look found. ``broken`` things stop a command; a ``hint`` costs time, or mends itself."""

    check: str
    state: State
    told: str
    fix: str = ""


def examine(own: str) -> Iterator[Finding]:
    """Every finding, in order; ``own`` names the supervisor of this checkout's ``up``."""
    checks: dict[str, Callable[[], Iterator[Finding]]] = {
        "python": python,
        "packages": packages,
        "bytecode": bytecode,
        "node": node,
        "web interface": web_interface,
        "browser": find_browser,
        ".env": dotenv,
        "ports": lambda: ports(own),
        "localhost": localhost,
        "files": files,
        "leftovers": leftovers,
    }
    for name, check in checks.items():
        try:
            yield from check()
        except HarnessError as error:
            yield Finding(name, "broken", "\n".join([error.what, *error.evidence.splitlines()]), error.todo)
        except Exception as error:  # noqa: BLE001  # half of what is looked at may be missing; the rest still counts
            yield Finding(name, "hint", f"could not be looked at: {type(error).__name__}: {error}")


def python() -> Iterator[Finding]:
    """The interpreter; an older one than 3.11 never gets here."""
    yield Finding("python", "ok", f"{'.'.join(map(str, sys.version_info[:3]))} at {sys.executable}")


def packages() -> Iterator[Finding]:
    """Does ``.venv`` agree with ``requirements.lock``, by its stamp and by what is really installed?"""
    lock = bootstrap.LOCK.read_text(encoding="utf-8")
    if not bootstrap.STAMP.is_file() or bootstrap.STAMP.read_text() != hashlib.sha256(lock.encode()).hexdigest():
        fix = "the next `python -m harness up` installs them"
        yield Finding("packages", "hint", "requirements.lock has changed since .venv was made", fix)
        return
    installed = {
        _canonical(name): version
        for folder in sys.path
        for path in Path(folder).glob("*.dist-info")
        for name, _, version in [path.name.removesuffix(".dist-info").rpartition("-")]
    }
    pinned = PINNED.findall(lock)
    other = [
        f"{name} is {installed[_canonical(name)]}, not {version}"
        for name, version in pinned
        if installed.get(_canonical(name), version) != version
    ]
    if other:
        told = f"{len(other)} differ from requirements.lock: {', '.join(other[:5])}"
        yield Finding("packages", "broken", told, f"remove {bootstrap.VENV}; the next command makes it anew")
    else:
        yield Finding("packages", "ok", f"{len(pinned)} pinned by requirements.lock")


def bytecode() -> Iterator[Finding]:
    """Compiled bytecode halves every cold start."""
    if bootstrap.UNWANTED_BYTECODE in os.environ.get(bootstrap.DROPPED, "").split():
        told = "PYTHONDONTWRITEBYTECODE is set; our own commands ignore it, but plain `pytest` starts twice as slowly"
        yield Finding("bytecode", "hint", told, "unset PYTHONDONTWRITEBYTECODE")
        return
    found = importlib.util.find_spec("fastapi")
    if found is None or found.origin is None:
        yield Finding("bytecode", "hint", "fastapi is not installed", "run: python -m harness up")
    elif any(Path(found.origin).parent.glob("__pycache__/*.pyc")):
        yield Finding("bytecode", "ok", "compiled")
    else:
        fix = f"{sys.executable} -m compileall -q {Path(found.origin).parent.parent}"
        yield Finding("bytecode", "hint", "packages are not compiled, which doubles every cold start", fix)


def node() -> Iterator[Finding]:
    """Node.js, from its wheel."""
    from harness import node as wheel  # noqa: PLC0415  # raises where the wheel is missing

    if os.access(wheel.NODE, os.X_OK):
        yield Finding("node", "ok", str(wheel.NODE))
    else:
        yield Finding("node", "broken", f"{wheel.NODE} cannot be run", f"remove {bootstrap.VENV}; it is made anew")


def web_interface() -> Iterator[Finding]:
    """Are ``ui/node_modules`` and the built bundle those of the sources?"""
    if not any(project.services()[name].bundle_variable for name in closure(None)):
        return
    if bundle.is_current():
        yield Finding("web interface", "ok", "built from the sources as they are")
        return
    told = "sources have changed since it was built" if bundle.DIST.exists() else "not built yet"
    if not modules.are_current(bundle.WORKSPACE):
        told += "; its packages are not installed"
    yield Finding("web interface", "hint", told, "the next `python -m harness up` builds it, in a minute or two")


def find_browser() -> Iterator[Finding]:
    """A browser for scenarios with a page."""
    found = browser.find()
    if found is None:
        fix = f"`python -m harness test` installs one; or {browser.how_to_get_one()}"
        yield Finding("browser", "hint", "none was found", fix)
    elif found.name in browser.HEADLESS_ONLY or found.name == "headless_shell":
        yield Finding("browser", "ok", str(found))
    else:
        fix = f"install a headless shell, such as Debian's {browser.DEBIAN_PACKAGE}: it starts three times as fast"
        yield Finding("browser", "hint", f"{found}, a whole browser", fix)


def dotenv() -> Iterator[Finding]:
    """Can ``.env`` be read, and does it set what there is?"""
    path = project.folder() / ".env"
    values = launch.dotenv(path)
    known = {port.variable for port in project.port_map()} | {OFFSET}
    strange = sorted(name for name in values if name.endswith("_PORT") and name not in known)
    if strange:
        told = f"{', '.join(strange)} set no port of ours"
        yield Finding(".env", "hint", told, f"the variables are {', '.join(sorted(known))}")
    else:
        yield Finding(".env", "ok", f"{len(values)} settings" if path.exists() else "none, so defaults apply")


def ports(own: str) -> Iterator[Finding]:
    """Is each configured port free, or ours?"""
    found = occupancy.look(own)
    for place in found:
        if place.state == "taken":
            fix = f"stop that process, or set {place.variable}; a free set: python -m harness ports --free"
            yield Finding("ports", "broken", f"{place.port} for {place.service} is held by {place}", fix)
    well = [
        f"{place.service}: {f'{place.port} ' if place.port else ''}{place}" for place in found if place.state != "taken"
    ]
    if well:
        yield Finding("ports", "ok", ", ".join(well))


def localhost() -> Iterator[Finding]:
    """URLs say ``localhost``: it must be this machine, and both of its addresses should be usable."""
    try:
        addresses = {str(each[4][0]) for each in socket.getaddrinfo("localhost", None, type=socket.SOCK_STREAM)}
    except OSError as error:
        yield Finding(
            "localhost", "broken", f"cannot be resolved: {error}", "put “127.0.0.1 localhost” into /etc/hosts"
        )
        return
    usable = {address for family, address in LOOPBACK if _binds(family, address)}
    if strangers := sorted(addresses - {"127.0.0.1", "::1"}):
        told = f"resolves to {', '.join(strangers)}"
        yield Finding("localhost", "broken", told, "make it 127.0.0.1 and ::1 in /etc/hosts")
    elif unusable := sorted(addresses - usable):
        told = (
            f"resolves to {', '.join(unusable)}, where nothing can listen; programs lose time before they try the other"
        )
        yield Finding("localhost", "hint", told, f"take {', '.join(unusable)} out of /etc/hosts, or switch IPv6 on")
    else:
        yield Finding("localhost", "ok", ", ".join(sorted(addresses)))


def files() -> Iterator[Finding]:
    """Room, the right to write, and enough descriptors."""
    home = state.home()
    place = next(each for each in (home, *home.parents) if each.exists())
    room, limit = shutil.disk_usage(place).free, _descriptor_limit()
    if not place.is_dir() or not os.access(place, os.W_OK | os.X_OK):
        fix = f"make it writable, or choose another folder: {state.VARIABLE}=…"
        yield Finding("files", "broken", f"{place} cannot be written, and logs and records belong there", fix)
    elif room < DISK_COMFORTABLE:
        grade: State = "broken" if room < DISK_LEAST else "hint"
        yield Finding("files", grade, f"{room / GIB:.1f} GiB are free at {place}", "make room: 2 GiB are comfortable")
    elif limit is not None and limit < DESCRIPTORS_COMFORTABLE:
        told = f"a process may open {limit} files; long test runs may need more"
        yield Finding("files", "hint", told, f"ulimit -n {DESCRIPTORS_COMFORTABLE * 4}")
    else:
        yield Finding("files", "ok", f"{home}: {room / GIB:.0f} GiB free, {limit or 'any number of'} open files")


def leftovers() -> Iterator[Finding]:
    """Records of supervisors that are dead, and services that have outlived theirs."""
    fix = "python -m harness down"
    alive = []
    for path in sorted(state.run_folder().glob("*.json")):
        try:
            told: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            supervisor = leash.same_process(told["pid"], told["created"])
            orphans = [pid for pid, born in told["services"] if leash.same_process(pid, born)]
        except (OSError, ValueError, TypeError, KeyError) as error:
            yield Finding("leftovers", "hint", f"{path} is not a record of ours: {error!r}", f"remove it, or: {fix}")
            continue
        if supervisor is not None:
            alive.append(path.stem)
        elif orphans:
            pids = ", ".join(map(str, orphans))
            yield Finding("leftovers", "broken", f"{path.stem} has died, but its services run on: {pids}", fix)
        else:
            yield Finding("leftovers", "hint", f"{path.stem} has died without clearing up", fix)
    yield Finding("leftovers", "ok", f"running: {', '.join(alive) or 'nothing'}")


def _canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _binds(family: socket.AddressFamily, address: str) -> bool:
    try:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.bind((address, 0))
    except OSError:
        return False
    return True


def _descriptor_limit() -> int | None:
    """The soft limit; None where there is none, or no such thing."""
    try:
        import resource  # noqa: PLC0415  # POSIX
    except ImportError:
        return None
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return None if soft == resource.RLIM_INFINITY else soft
