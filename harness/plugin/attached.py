"""The system that ``up`` runs in this checkout, as tests may use it: nothing in it is started or stopped."""

from __future__ import annotations

from typing import Any

from harness.cli import system
from harness.control import Control
from harness.errors import HarnessError, NotRunningError
from harness.lifecycle import Phase
from harness.stack import Stack

ANSWERS_IN_S = 10.0


class DisturbanceError(HarnessError):
    """A test would have disturbed a system that is not its own."""


class AttachedStack(Stack):
    """The running system. Its world can be begun anew, in its processes; none of these is stopped or started."""

    def restart(self, service: str) -> None:
        """Refuse."""
        raise DisturbanceError(
            f"this test would restart {service}, in a system that is not its own (--stack=attach)",
            todo="mark it, and it is skipped there: @pytest.mark.destructive",
        )

    def verify(self) -> None:
        """See that it is still the one that was attached to, and healthy.

        Raises:
            HarnessError: it is not, or it does not answer.
        """
        described = self._control.call("describe", name=self.name, within=ANSWERS_IN_S)
        if described["nonce"] != self.nonce:
            raise NotRunningError(
                "the system that the tests were attached to is gone",
                evidence=f"another one took its place: nonce {described['nonce']}, not {self.nonce}",
                todo="run the tests again",
            )
        _healthy(described)


def attach() -> AttachedStack:
    """The system of this checkout: its supervisor by pid and creation time, every service by the stack's nonce.

    Raises:
        NotRunningError: there is none.
        HarnessError: it does not answer, or one of its services is not healthy.
    """
    control: Control = system.control()
    described: dict[str, Any] = control.call("describe", name=system.NAME, within=ANSWERS_IN_S)
    _healthy(described)
    return AttachedStack(control, described)


def _healthy(described: dict[str, Any]) -> None:
    states = {name: told["state"] for name, told in described["services"].items()}
    ill = [f"{name} is {state}" for name, state in states.items() if state != Phase.HEALTHY]
    if ill:
        raise HarnessError(
            "the running system is not healthy",
            evidence="\n".join(ill),
            todo="look at it: python -m harness status\nrestart a service: python -m harness restart SERVICE",
        )
