"""Who is on the configured ports now, and which other ports nobody holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from harness import launch, ports, project, state
from harness.control import Control
from harness.errors import HarnessError
from harness.ports import HIGHEST, Holder

ANSWERS_IN_S = 5.0
STRIDE = 100


@dataclass(frozen=True)
class Place:
    """One service's port, and what is there now. ``holder`` is None for a free one, or where nobody listens."""

    service: str
    port: int
    variable: str
    source: str
    state: Literal["free", "ours", "taken"]
    holder: Holder | None

    def __str__(self) -> str:
        if self.state == "free":
            return "free" if self.port else "any free one, when it starts"
        if self.state == "ours":
            return "this checkout's up" + (f" (pid {self.holder.pid})" if self.holder and self.holder.pid else "")
        return str(self.holder)


def look(own: str) -> list[Place]:
    """Every service's configured port, and who is there; ``own`` names the supervisor whose services are no strangers.

    Raises:
        PortConfigurationError: the configuration itself cannot be used.
    """
    choices = launch.choose("configured")
    taken = {service for service, (number, _, _) in choices.items() if number and not _is_free(number)}
    ours = _ports_of(own) if taken else {}
    places = []
    for service, (number, variable, source) in choices.items():
        if service not in taken:
            places.append(Place(service, number, variable, source, "free", None))
            continue
        holder = ports.holder(number)
        whose: Literal["ours", "taken"] = "ours" if number in ours.values() else "taken"
        places.append(Place(service, number, variable, source, whose, holder))
    return places


def free() -> dict[str, int]:
    """A port for every variable: the defaults, shifted alike until nobody holds any of them.

    Raises:
        HarnessError: there is no such set.
    """
    defaults = {port.variable: port.default for port in project.port_map()}
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
