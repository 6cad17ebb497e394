"""The plugin's command-line options, checked before anything is started."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from harness import worlds
from harness.errors import HarnessError
from harness.topology import Kind

ATTACH, SHARED, FRESH = "attach", "shared", "fresh"
STARTS_WITH = ("ports", "world", "seed", "backend")
STACK_HELP = (
    "which system a scenario's `stack` is: a fresh one for each (default); the same for all, its world begun anew "
    "in between; or the one that `python -m harness up` runs in this checkout"
)
PORTS_HELP = "ports of `stack`: any free ones (default), or the configured ones (environment, .env, defaults)"
BACKEND_HELP = "fork services from warm processes (default), or give each a fresh interpreter"
KEEP_HELP = "leave the systems of failed tests running, to be looked at; `python -m harness down` ends them"


@dataclass(frozen=True)
class Choices:
    """What the options say about the systems that tests get."""

    stack: str
    ports: str
    world: str
    seed: int
    backend: Kind
    keep: bool


CHOICES: pytest.StashKey[Choices] = pytest.StashKey()


def add_options(parser: pytest.Parser) -> None:
    """Add the harness' options to pytest's."""
    group = parser.getgroup("harness", "the simulated system [harness]")
    group.addoption("--stack", choices=(FRESH, SHARED, ATTACH), default=FRESH, help=STACK_HELP)
    group.addoption("--ports", choices=("random", "configured"), help=PORTS_HELP)
    group.addoption("--world", metavar="NAME", help=worlds.HELP)
    group.addoption("--seed", type=int, metavar="N", help="seed of the seeded world (default: 1)")
    group.addoption("--backend", choices=("zygote", "process"), help=BACKEND_HELP)
    group.addoption("--keep-on-failure", action="store_true", help=KEEP_HELP)


def read(config: pytest.Config) -> Choices:
    """The options of this run.

    Raises:
        pytest.UsageError: they contradict each other, or there is no such world.
    """
    stack: str = config.getoption("--stack")
    keep: bool = config.getoption("--keep-on-failure")
    given = [name for name in STARTS_WITH if config.getoption(f"--{name}") is not None]
    given += ["keep-on-failure"] if keep else []
    if stack == ATTACH and given:
        options = " and ".join(f"--{name}" for name in given)
        raise pytest.UsageError(f"{options} cannot be had with --stack=attach, which starts and stops nothing")
    ports = config.getoption("--ports") or "random"
    workers = config.getoption("numprocesses", None) or 0
    if ports == "configured" and workers > 1:
        raise pytest.UsageError("--ports configured is for one worker: each has systems of its own; leave out -n")
    try:
        world = worlds.chosen(config.getoption("--world") or worlds.DEFAULT)
    except HarnessError as error:
        raise as_usage(error) from error
    seed = config.getoption("--seed")
    backend: Kind = config.getoption("--backend") or "zygote"
    return Choices(stack, ports, world, 1 if seed is None else seed, backend, keep)


def as_usage(error: HarnessError) -> pytest.UsageError:
    """An error of the harness as pytest shows wrong use: without a traceback."""
    return pytest.UsageError(str(error))
