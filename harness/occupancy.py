"""Who is on the configured ports now, and which other ports nobody holds."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from harness import launch, ports, project, state
from harness.control import Control
from harness.errors import HarnessError
from harness.plan import closure
from harness.ports import HIGHEST, Choice, Holder

ANSWERS_IN_S = 5.0
STRIDE = 100
Whose: TypeAlias = Literal["free", "ours", "taken"]


@dataclass(frozen=True)
class Place:
    """One service's port, and what is there now. ``holder`` is None for a free one, or where nobody listens."""

    service: str
    port: int
    variable: str
    source: str
    state: Whose
    holder: Holder | None

    def __str__(self) -> str:
        if self.state == "free":
            return "free" if self.port else "any free one, when it starts"
        if self.state == "ours":
            return "this checkout's up" + (f" (pid {self.holder.pid})" if self.holder and self.holder.pid else "")
        return str(self.holder)


def look(own: str) -> list[Place]:
    """The configured port of every service that ``up`` starts, and who is there.

    ``own`` names the supervisor whose services are no strangers.

    Raises:
        PortConfigurationError: the configuration itself cannot be used.
    """
    started = closure(None)
    choices = {name: choice for name, choice in launch.choose("configured").items() if name in started}
    ours = set(_ports_of(own).values())
    return [_place(Choice(name, *told), ours) for name, told in choices.items()]


def _place(choice: Choice, ours: Collection[int]) -> Place:
    # Ours first: the port of a service that has crashed is held for its restart, but nobody listens there.
    if choice.number in ours:
        whose: Whose = "ours"
    else:
        whose = "free" if not choice.number or _is_free(choice.number) else "taken"
    holder = None if whose == "free" else ports.holder(choice.number)
    return Place(choice.service, choice.number, choice.variable, choice.source, whose, holder)


def free() -> dict[str, int]:
    """A port for every variable: the defaults, shifted alike until nobody holds any of them.

    Raises:
        HarnessError: there is no such set.
    """
    started = closure(None)
    defaults = {port.variable: port.default for port in project.port_map() if port.service in started}
    highest = max((number for number in defaults.values() if number), default=0)
    for offset in range(STRIDE, HIGHEST - highest, STRIDE):
        shifted = {variable: number + offset for variable, number in defaults.items() if number is not None}
        if all(map(_is_free, shifted.values())):
            return shifted | {variable: _any() for variable, number in defaults.items() if number is None}
    raise HarnessError("there is no free set of ports", todo="take any: python -m harness up --ports random")


def _any() -> int:
    reservation = ports.reserve(0)
    reservation.close()
    return reservation.number


def _is_free(number: int) -> bool:
    try:
        ports.reserve(number).close()
    except OSError:
        return False
    return True


def _ports_of(name: str) -> Mapping[str, int]:
    """The ports of a running system, by service: also that of one that has crashed, which is held for it."""
    record = state.read(name)
    if record is None:
        return {}
    try:
        described = Control(record.control_port, record.secret).call("describe", name=name, within=ANSWERS_IN_S)
    except HarnessError:
        return {}
    return {service: told["port"] for service, told in described["services"].items()}
