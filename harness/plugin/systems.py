"""The systems of one pytest process: which run, which of them a test uses, and which shall outlive it."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path

import pytest

from harness import launch, worlds
from harness.control import Control
from harness.errors import HarnessError
from harness.plugin.choices import Choices
from harness.stack import Stack

MOST_KEPT = 3
numbers = count(1)


@dataclass(frozen=True)
class World:
    """What a system begins with: the seeded world's name and seed."""

    name: str = worlds.DEFAULT
    seed: int = 1

    @classmethod
    def of(cls, item: pytest.Item, choices: Choices) -> World:
        """What the marker ``world`` says, else the options.

        Raises:
            HarnessError: the marker makes no sense, or there is no such world.
        """
        marker = item.get_closest_marker("world")
        if marker is None:
            return cls.chosen(choices)
        try:
            asked = cls(*marker.args, **{"seed": choices.seed, **marker.kwargs})
        except TypeError as error:
            raise HarnessError(
                "the marker `world` is not understood", evidence=str(error), todo='@pytest.mark.world("base", seed=7)'
            ) from error
        return replace(asked, name=worlds.chosen(asked.name))

    @classmethod
    def chosen(cls, choices: Choices) -> World:
        """What the options say."""
        return cls(choices.world, choices.seed)


@dataclass
class Systems:
    """All that runs for the tests of this process.

    ``warm`` is what they will start, as far as that can be seen (nothing: everything); ``some_are_fresh`` tells that
    there are tests with systems of their own; with ``spare`` so many that one is kept ready for the next.
    """

    running: list[Stack] = field(default_factory=list)
    kept: list[Stack] = field(default_factory=list)
    warm: tuple[str, ...] = ()
    some_are_fresh: bool = False
    spare: bool = False
    supervisor_log: Path | None = None

    def keep(self, stacks: list[Stack]) -> list[Stack]:
        """Have these outlive the session, as many as a machine can bear; returns those that will."""
        free = MOST_KEPT - len(self.kept)
        self.kept += [stack for stack in stacks if stack not in self.kept][: max(free, 0)]
        return [stack for stack in stacks if stack in self.kept]

    @contextlib.contextmanager
    def start(self, control: Control, *, world: World, only: tuple[str, ...] | None, ports: str) -> Iterator[Stack]:
        """A system for the length of a ``with`` block, or longer if a failure in it is to be looked at."""
        name = f"pytest-{os.getpid()}-{next(numbers)}"
        started = launch.start(
            control,
            name=name,
            choices=launch.choose(ports, only=only),
            seed=world.seed,
            world=world.name,
            only=only,
            spare=self.spare and only is None,
        )
        self.running.append(started)
        try:
            yield started
        finally:
            self.running.remove(started)
            started.close()
            if started not in self.kept:
                control.call("stop", name=name)


SYSTEMS: pytest.StashKey[Systems] = pytest.StashKey()


@contextlib.contextmanager
def told() -> Iterator[None]:
    """An error of the harness fails the test by its own words: what, evidence, what to do. No traceback through us."""
    try:
        yield
    except HarnessError as error:
        raise pytest.fail.Exception(str(error), pytrace=False) from None
