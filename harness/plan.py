"""What one stack is made of before it runs, and what each of its services is told."""

from __future__ import annotations

import base64
import hmac
import os
import secrets
import shlex
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from harness import project, worlds
from harness.bootstrap import child_environment
from harness.environ import NONCE, QUIET_LIBRARIES
from harness.errors import HarnessError
from harness.placeholders import Place, Places, fill
from harness.topology import Service

INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "TZ", "SYSTEMROOT", "SSL_CERT_FILE")


@dataclass(frozen=True)
class StackPlan:
    """What a stack is made of before it runs: its name, world, services and where they will answer.

    ``templates`` is a folder for copies of freshly seeded databases, shared by stacks of the same code. With ``watch``
    services follow their sources.
    """

    name: str
    nonce: str
    folder: Path
    world: str
    seed: int
    bundle: Path | None
    numbers: Mapping[str, int]
    templates: Path | None = None
    watch: bool = False
    secret: str = field(default_factory=secrets.token_urlsafe, repr=False)
    control_secret: str = field(default_factory=secrets.token_urlsafe, repr=False)

    def url(self, service: str) -> str:
        """Base URL of a service, without a trailing slash."""
        return Place(self.numbers[service]).url

    def secret_of(self, variable: str) -> str:
        """What an environment variable with a secret holds: the same for every service that is told it."""
        derived = hmac.digest(self.secret.encode(), variable.encode(), "sha256")
        return base64.urlsafe_b64encode(derived).rstrip(b"=").decode()

    def service(self, name: str) -> Service:
        """A service as it is run in this stack."""
        service = project.services()[name]
        if not self.watch or service.watched is None:
            return service
        return replace(service, app=None, command=service.watched, own=False, health="/")

    def places(self) -> Places:
        """What placeholders stand for in this stack."""
        services = {name: Place(number) for name, number in self.numbers.items()}
        return Places(services, self.folder, self.nonce)


def closure(names: Iterable[str] | None) -> tuple[str, ...]:
    """The named services and all they need, in the order of the project; None means what it starts by itself.

    Raises:
        HarnessError: for a name that is no service.
    """
    services = project.services()
    asked = project.started() if names is None else tuple(names)
    unknown = [name for name in asked if name not in services]
    if unknown or not asked:
        named = ", ".join(map(repr, unknown)) or "none was named"
        raise HarnessError(f"no such service: {named}", todo=f"the services are: {', '.join(services)}")
    wanted: set[str] = set()
    waiting = list(asked)
    while waiting:
        name = waiting.pop()
        if name not in wanted:
            wanted.add(name)
            waiting.extend(project.services()[name].needs)
    return tuple(name for name in services if name in wanted)


def environment(plan: StackPlan, name: str, inherited: Mapping[str, str]) -> dict[str, str]:
    """The whole environment of one service's process. A service that is not part of the stack still has a URL."""
    service = plan.service(name)
    told = child_environment(inherited)
    if service.own:
        told = {key: value for key, value in told.items() if key in (*INHERITED, *service.inherited)}
    told |= QUIET_LIBRARIES
    told |= {each.url_variable: plan.url(each.name) for each in project.services().values()}
    told |= {NONCE: plan.nonce, "WORLD": plan.world, "WORLD_SEED": str(plan.seed)}
    told |= {variable: plan.secret_of(variable) for variable in service.secret_variables}
    told["HARNESS_SERVICE"] = name
    if service.app is not None:  # its simulation layer takes it out again; a program would hand it on
        told["HARNESS_SECRET"] = plan.control_secret
    if service.database_variable:
        told["HARNESS_DATABASE"] = str(plan.folder / f"{name}.db")
        told[service.database_variable] = f"sqlite:///{told['HARNESS_DATABASE']}"
        if plan.templates and service.own:
            told["HARNESS_TEMPLATE"] = str(plan.templates / f"{name}-{worlds.mark(plan.world)}-{plan.seed}.db")
    if service.bundle_variable and plan.bundle:
        told[service.bundle_variable] = str(plan.bundle)
    if not service.own:
        told["PORT"] = str(plan.numbers[name])
        # A command called `python` is the one that runs the harness, with the packages of its environment.
        told["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), told.get("PATH", os.defpath)])
    return told | {key: fill(value, plan.places(), service=name) for key, value in service.settings.items()}


def command(plan: StackPlan, service: Service) -> list[str]:
    """What a fresh process runs: the service's own program, or our server of its app."""
    if service.command is not None:
        # Split first: a placeholder may stand for a path with spaces.
        return [fill(word, plan.places(), service=service.name) for word in shlex.split(service.command)]
    loaded = (part for library in service.libraries for part in ("--library", library))
    return [sys.executable, "-m", "harness.serve", "--app", str(service.app), *loaded]


def rehearsal_environment(name: str, inherited: Mapping[str, str]) -> dict[str, str]:
    """The environment of a service that is only rehearsed; ``{folder}`` stands for a folder of the rehearsal's own."""
    folder = Path("{folder}")
    plan = StackPlan(
        name="rehearsal",
        nonce="rehearsal",
        folder=folder,
        world=worlds.DEFAULT,
        seed=1,
        bundle=folder,
        numbers={service: number for number, service in enumerate(project.services(), start=1)},
    )
    return environment(plan, name, inherited)


def libraries(services: Iterable[str] | None) -> tuple[str, ...]:
    """What a process loads in which ``services`` are built, now or (None: any of them) from their sources later."""
    known = project.services()
    named = known if services is None else services
    return tuple(dict.fromkeys(library for name in named for library in known[name].libraries))


def families(services: Iterable[str], processors: int) -> list[tuple[str, ...]]:
    """Which services are warmed, and later forked, by one process.

    With more than one processor the longest start has one almost to itself: it shares it with the shortest, so that the
    other process does not have to do all the forking. What is not warm is started by the first of them too; so there is
    one, and be it empty.
    """
    known = project.services()
    warm = [name for name in services if known[name].warm and known[name].app is not None]
    ordered = tuple(sorted(warm, key=lambda name: -known[name].cold_start_s))
    divided = [(*ordered[:1], *ordered[1:][-1:]), ordered[1:-1]] if processors > 1 else [ordered]
    return [family for family in divided if family] or [()]
