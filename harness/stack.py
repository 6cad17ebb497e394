"""The handle on one running system that a test, a script or the command line holds."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness import project
from harness.control import Control

if TYPE_CHECKING:
    from harness.person import Person


class Stack:
    """A running system: where its services answer, what they wrote, and who can sign in to it."""

    def __init__(self, control: Control, described: Mapping[str, Any]) -> None:
        self._control = control
        self.name: str = described["stack"]
        self.nonce: str = described["nonce"]
        self.seed: int = described["seed"]
        self.folder = Path(described["folder"])
        self._urls: Mapping[str, str] = described["urls"]
        self._people: list[Person] = []

    def url(self, service: str) -> str:
        """Base URL of a service, without a trailing slash."""
        return self._urls[service]

    def audience(self, service: str) -> str:
        """The resource URI that a token for this service must name (RFC 8707)."""
        resource = project.services()[service].resource
        if resource is None:
            raise ValueError(f"{service} takes no access tokens")
        return self.url(service) + resource

    def sign_in(self, username: str) -> Person:
        """Somebody of the seeded world, signed in at the identity provider when a token is first needed."""
        from harness.person import Person  # noqa: PLC0415  # an HTTP client, which `up` does not need

        person = Person(username, issuer=self.url("idp"), audiences=self.audiences())
        self._people.append(person)
        return person

    def audiences(self) -> dict[str, str]:
        """The resource URI of every service that takes tokens."""
        return {
            name: self.audience(name) for name, service in project.services().items() if service.resource is not None
        }

    def describe(self) -> dict[str, Any]:
        """State, pid, port and log of every service, now."""
        described: dict[str, Any] = self._control.call("describe", name=self.name)
        return described

    def restart(self, service: str) -> None:
        """Restart one service on its port with its data; returns when it is healthy again."""
        self._control.call("restart", name=self.name, service=service)

    def reset(self) -> None:
        """Begin the world anew in the running processes, on the same ports.

        Nothing of the former world is left: tokens, sessions, tickets, conversations, open streams.
        """
        self.close()
        self._control.call("reset", name=self.name)

    def journal(self, *, since: float = 0.0) -> list[dict[str, Any]]:
        """The HTTP exchanges of all services after ``since`` (:func:`time.monotonic`), without any token or secret."""
        entries: list[dict[str, Any]] = self._control.call("journal", name=self.name, since=since)
        return entries

    def log(self, service: str) -> str:
        """All that a service has written since the stack began."""
        return (self.folder / f"{service}.log").read_text(encoding="utf-8", errors="replace")

    def close(self) -> None:
        """Close what the handle opened; the system itself runs on."""
        for person in self._people:
            person.close()
        self._people.clear()
