"""Errors of the harness: what failed, the evidence, what to do."""

from __future__ import annotations


class HarnessError(Exception):
    """Wrong use, or a port or set-up problem: the command line shows the three parts and exits with 2."""

    def __init__(self, what: str, *, evidence: str = "", todo: str = "") -> None:
        self.what, self.evidence, self.todo = what, evidence, todo
        super().__init__(what)

    def __str__(self) -> str:
        parts = [self.what, *(f"  {line}" for line in self.evidence.splitlines())]
        return "\n".join(parts + [f"  → {line}" for line in self.todo.splitlines()])


class PortConfigurationError(HarnessError):
    """One or more configured ports cannot be used; names every one of them and where it was set."""


class PortTakenError(HarnessError):
    """A configured port has a holder already; names its process."""


class NotReadyError(HarnessError):
    """A service did not become healthy; carries its exit code or last answer, and the end of its log."""


class NotRunningError(HarnessError):
    """The command needs a running system and there is none."""


class AlreadyRunningError(HarnessError):
    """The checkout's system is running already."""


class SupervisorError(HarnessError):
    """The supervisor process could not be started or did not answer."""
