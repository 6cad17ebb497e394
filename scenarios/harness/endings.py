"""Processes that get a signal, and what is left of their families three seconds later."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

import psutil
import pytest

from harness import leash
from scenarios.harness.checkout import Checkout, shown, taken
from scenarios.harness.specimens import SPECIMENS

Key = TypeVar("Key", bound=Hashable)
WITHIN_S = 3.0
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL)

each_signal = pytest.mark.parametrize("number", SIGNALS, ids=[number.name for number in SIGNALS])


@dataclass(frozen=True)
class Ended:
    """What became of a family of processes after one of them had got a signal."""

    family: list[psutil.Process]
    left: list[str]
    unbound: list[str]

    def assert_nothing_is_left(self) -> None:
        """No process, and every port can be bound again."""
        assert self.left == []
        assert self.unbound == []


Endings: TypeAlias = Mapping[signal.Signals, Ended]


@dataclass(frozen=True)
class Family:
    """A system with specimens, who shall get a signal, and everything that is to go then."""

    checkout: Checkout
    victim: int
    number: signal.Signals
    ports: list[int]
    members: list[psutil.Process]

    @classmethod
    def of(
        cls,
        checkout: Checkout,
        victim: int,
        number: signal.Signals,
        system: Mapping[str, Any],
        members: list[psutil.Process],
    ) -> Family:
        """``victim`` shall get the signal ``number``; that all specimens are among ``members`` is made sure of."""
        lines = Path(system["folder"], "specimens.txt").read_text(encoding="utf-8").splitlines()
        specimens = {name: int(pid) for name, pid in map(str.split, lines)}
        assert sorted(specimens) == sorted(SPECIMENS)
        assert set(specimens.values()) < {process.pid for process in members}
        assert psutil.Process(specimens["stopped"]).status() == psutil.STATUS_STOPPED
        return cls(checkout, victim, number, [service["port"] for service in system["services"].values()], members)


def end(families: Mapping[Key, Family], left: Callable[[Family, float], list[str]]) -> dict[Key, Ended]:
    """Give each victim its signal, all at once; ``left`` tells who was still there when the time was up."""
    began = time.monotonic()
    for family in families.values():
        os.kill(family.victim, family.number)
    remaining = {key: left(family, began) for key, family in families.items()}
    return {key: Ended(family.members, remaining[key], taken(family.ports)) for key, family in families.items()}


def whole_checkout(family: Family, began: float) -> list[str]:
    """Who of the family, or of its whole checkout, is left in the end."""
    return family.checkout.left_after(WITHIN_S, of=family.members, since=began)


def members_only(family: Family, began: float) -> list[str]:
    """Who of the family is left in the end; others of the same checkout go on."""
    leash.wait_gone(family.members, timeout=began + WITHIN_S - time.monotonic())
    return [shown(process) for process in family.members if not leash.wait_gone([process], timeout=0)]
