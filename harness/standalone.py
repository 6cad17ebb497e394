"""One service without a supervisor: for process managers (Procfile, containers) that start each by itself.

Ports come from the port map. What a supervisor would make up (the secrets services share, the nonce their health
answers carry) is made by whoever starts first and kept in ``serve.json`` of the harness' folder for the others.
"""

from __future__ import annotations

import errno
import json
import os
import secrets
import socket
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import NoReturn

from harness import bundle, launch, plan, ports, project, state, worlds
from harness.errors import HarnessError
from harness.plan import StackPlan
from harness.ports import Choice
from harness.topology import ROOT

NAME = "serve"
BACKLOG = 128


@dataclass(frozen=True)
class Shared:
    """What services that were started one by one have in common."""

    nonce: str = field(default_factory=lambda: secrets.token_hex(8))
    secret: str = field(default_factory=secrets.token_urlsafe, repr=False)
    control_secret: str = field(default_factory=secrets.token_urlsafe, repr=False)


def become(name: str, *, address: str | None, world: str, seed: int) -> NoReturn:
    """Turn this process into the service ``name``, on its port of ``address`` (None: every loopback address).

    Raises:
        HarnessError: there is no such world, its port is taken, or a service it talks to has no fixed port.
    """
    world = worlds.chosen(world)
    service = project.services()[name]
    choices = _choices(name)
    sockets = _sockets(choices[name], address) if service.app else []
    common = shared(state.home() / f"{NAME}.json")
    stack = StackPlan(
        name=NAME,
        folder=state.stack_folder(NAME),
        world=world,
        seed=seed,
        bundle=bundle.ensure() if service.bundle_variable else None,
        numbers={each: choice.number for each, choice in choices.items()},
        nonce=common.nonce,
        secret=common.secret,
        control_secret=common.control_secret,
    )
    stack.folder.mkdir(parents=True, exist_ok=True)
    for left in stack.folder.glob(f"{name}.db*"):  # as with `up`, each start begins the same world
        left.unlink()
    descriptors = [str(each.fileno()) for each in sockets]
    command = [*plan.command(stack, service), *(part for number in descriptors for part in ("--fd", number))]
    os.chdir(ROOT if service.own else project.folder())
    environment = plan.environment(stack, name, os.environ | launch.settings())
    try:
        os.execvpe(command[0], command, environment)
    except OSError as error:
        raise HarnessError(f"{name} could not be started", evidence=f"{' '.join(command)}\n{error}") from error


def shared(path: Path) -> Shared:
    """What ``path`` keeps; the first who asks makes it, and only its user may read it.

    Raises:
        HarnessError: the file is not ours, or cannot be read.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, draft = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(asdict(Shared()), file)
        with suppress(FileExistsError):  # a link, unlike a rename, leaves what somebody faster has written
            os.link(draft, path)
    finally:
        Path(draft).unlink()
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        return Shared(str(told["nonce"]), str(told["secret"]), str(told["control_secret"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise HarnessError(f"{path} cannot be read", evidence=repr(error), todo="remove it") from error


def _choices(name: str) -> Mapping[str, Choice]:
    choices = {each: Choice(each, *told) for each, told in launch.choose("configured").items()}
    loose = [choices[each] for each in plan.closure([name]) if not choices[each].number]
    if loose:
        raise HarnessError(
            f"without a supervisor every port must be set; {', '.join(choice.service for choice in loose)} has none",
            todo=f"put them into .env: {', '.join(f'{choice.variable}=…' for choice in loose)}",
        )
    return choices


def _sockets(choice: Choice, address: str | None) -> list[socket.socket]:
    if address is None:
        reservation = ports.reserve_all({choice.service: choice})[choice.service]
        return reservation.listen()
    try:
        found = socket.getaddrinfo(address, choice.number, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
        family, kind, protocol, _, place = found[0]
        listening = socket.socket(family, kind, protocol)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(place)
    except OSError as error:
        holder = f"\nits holder: {ports.holder(choice.number)}" if error.errno == errno.EADDRINUSE else ""
        raise HarnessError(
            f"{choice.service} cannot listen on {address}:{choice.number}", evidence=f"{error}{holder}"
        ) from error
    listening.listen(BACKLOG)
    listening.set_inheritable(True)
    return [listening]
