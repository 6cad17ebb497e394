"""Which services a changed file concerns, and restarting them: what ``up --watch`` does."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeAlias

import watchfiles

from harness.control import Control
from harness.errors import HarnessError
from harness.topology import ROOT, Service

SETTLED_MS, STEP_MS = 150, 30
"""Editors write a file in several steps, and tools many files at once: who waits a moment restarts once."""

SUFFIXES = (".py", ".yaml", ".yml", ".json", ".html", ".css", ".sql", ".txt")

Say: TypeAlias = Callable[[str], None]


class Sources:
    """Where ``services`` have their modules, under the project's ``folder``: each its own place, the rest for all.

    That of ``services.idp.app:create_app`` is the folder ``services/idp``, of ``shop:create_app`` the file ``shop.py``.
    """

    def __init__(self, folder: Path, services: Collection[Service]) -> None:
        places = [(each, _place(ROOT if each.own else folder, each.app)) for each in services if each.app is not None]
        self._own = {service.name: place for service, place in places if service.watched is None}
        # These follow their sources by themselves, and what is theirs concerns nobody else.
        self._others = [place for service, place in places if service.watched is not None]

    @property
    def watched(self) -> list[Path]:
        """The folders to be watched."""
        return sorted({place.parent for place in self._own.values() if place.parent.is_dir()})

    def is_source(self, path: Path) -> bool:
        """Whether ``path`` can be something that a service is made of, and not what running it leaves."""
        (root,) = [place for place in self.watched if place in path.parents][:1] or [path.parent]
        hidden = any(part.startswith((".", "__")) for part in path.relative_to(root).parts)
        return path.suffix in SUFFIXES and not hidden

    def concerned(self, paths: Iterable[Path]) -> tuple[str, ...]:
        """The services that must be started anew after changes of ``paths``."""
        return tuple(dict.fromkeys(name for path in paths for name in self._concerned(path)))

    def _concerned(self, path: Path) -> tuple[str, ...]:
        if any(_within(path, place) for place in self._others):
            return ()
        owners = tuple(name for name, place in self._own.items() if _within(path, place))
        return owners or tuple(self._own)


def _place(folder: Path, app: str) -> Path:
    *package, module = app.partition(":")[0].split(".")
    return folder.joinpath(*package) if package else folder / f"{module}.py"


def _within(path: Path, place: Path) -> bool:
    return path == place or place in path.parents


def follow(control: Control, stack: str, sources: Sources, *, until: threading.Event, say: Say) -> None:
    """Restart what changes concern, until ``until`` is set; a restart that fails is told, and tried at the next one."""
    try:
        _follow(control, stack, sources, until=until, say=say)
    except (OSError, RuntimeError) as error:
        say(f"sources are no longer followed: {error}")


def _follow(control: Control, stack: str, sources: Sources, *, until: threading.Event, say: Say) -> None:
    """The loop of :func:`follow`."""
    seen = watchfiles.watch(
        *sources.watched,
        watch_filter=lambda _, path: sources.is_source(Path(path)),
        stop_event=until,
        debounce=SETTLED_MS,
        step=STEP_MS,
    )
    for changes in seen:
        paths = sorted({Path(path) for _, path in changes})
        names = sources.concerned(paths)
        if not names:
            continue
        say(f"{', '.join(path.name for path in paths)} changed; restarting {', '.join(names)}")
        with ThreadPoolExecutor(len(names)) as pool:
            for error in pool.map(lambda name: _restart(control, stack, name), names):
                if error is not None:
                    say(str(error))


def _restart(control: Control, stack: str, service: str) -> HarnessError | None:
    try:
        control.call("restart", name=stack, service=service)
    except HarnessError as error:
        return error
    return None
