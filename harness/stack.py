"""The handle on one running system that a test, a script or the command line holds."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness import project
from harness.control import Control
from harness.errors import HarnessError

if TYPE_CHECKING:
    from harness.person import Person


ANSWERS_IN_S = 20.0


class Stack:
    """A running system: where its services answer, what they wrote, and who can sign in to it."""

    def __init__(self, control: Control, described: Mapping[str, Any]) -> None:
        self._control = control
        self.name: str = described["stack"]
        self.nonce: str = described["nonce"]
        self.seed: int = described["seed"]
        self.world: str = described["world"]
        self.folder = Path(described["folder"])
        self.services: tuple[str, ...] = tuple(described["services"])
        self._urls: Mapping[str, str] = described["urls"]
        self._people: list[Person] = []
        self._controls: dict[str, Any] = {}

    def url(self, service: str) -> str:
        """Base URL of a service, without a trailing slash. One that is not part of this stack has a URL all the same.

        Raises:
            HarnessError: there is no such service.
        """
        if service not in self._urls:
            raise HarnessError(f"no such service: {service!r}", todo=f"the services are: {', '.join(self._urls)}")
        return self._urls[service]

    def service(self, name: str) -> RunningService:
        """The handle on one of the services that run.

        Raises:
            HarnessError: it is not part of this stack.
        """
        if name not in self.services:
            raise HarnessError(
                f"{name!r} is not part of the system {self.name!r}", todo=f"it runs: {', '.join(self.services)}"
            )
        return RunningService(self, name)

    def audience(self, service: str) -> str:
        """The resource URI that a token for this service must name (RFC 8707)."""
        url, resource = self.url(service), project.services()[service].resource
        if resource is None:
            raise HarnessError(
                f"{service} takes no access tokens", todo=f"those that do: {', '.join(self.audiences())}"
            )
        return url + resource

    def sign_in(self, username: str, *, organization: str | None = None) -> Person:
        """Somebody of the seeded world, signed in at the identity provider when a token is first needed.

        ``organization`` is the id or slug of one that they are in; their first unless given.

        Raises:
            HarnessError: this stack has no identity provider.
        """
        from harness.person import Person  # noqa: PLC0415  # an HTTP client, which `up` does not need

        issuer = self.service("idp").url
        person = Person(username, issuer=issuer, audiences=self.audiences(), organization=organization)
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
        entries: list[dict[str, Any]] = self._control.call("journal", within=ANSWERS_IN_S, name=self.name, since=since)
        return entries

    def log(self, service: str) -> str:
        """All that a service has written since the stack began."""
        return (self.folder / f"{service}.log").read_text(encoding="utf-8", errors="replace")

    def control(self, service: str) -> Any:
        """What reaches into a service from a test; ``stack.control("idp")`` mints tokens, bends answers and more.

        Raises:
            HarnessError: it is not part of this stack, or nothing reaches into it.
        """
        if service not in self._controls:
            url, told = self.service(service).url, project.services()[service].control
            if told is None:
                able = [name for name, each in project.services().items() if each.control]
                raise HarnessError(f"nothing reaches into {service}", todo=f"but into {', '.join(able) or 'none'}")
            place, variable = told
            module, _, name = place.partition(":")
            made = getattr(importlib.import_module(module), name)
            secret = self._control.call("secret", within=ANSWERS_IN_S, name=self.name, variable=variable)
            self._controls[service] = made(url, secret)
        return self._controls[service]

    def close(self) -> None:
        """Close what the handle opened; the system itself runs on."""
        for opened in (*self._people, *self._controls.values()):
            opened.close()
        self._people.clear()
        self._controls.clear()


class RunningService:
    """One service of a running system: where it answers, what it wrote, and who asked it for what."""

    def __init__(self, stack: Stack, name: str) -> None:
        self.stack, self.name = stack, name

    def __repr__(self) -> str:
        return f"<{self.name} of {self.stack.name} at {self.url}>"

    @property
    def url(self) -> str:
        """Its base URL, without a trailing slash."""
        return self.stack.url(self.name)

    @property
    def audience(self) -> str:
        """The resource URI that a token for it must name."""
        return self.stack.audience(self.name)

    @property
    def control(self) -> Any:
        """What reaches into it from a test: for the identity provider, ``services.idp.control.IdpControl``."""
        return self.stack.control(self.name)

    def log(self) -> str:
        """All that it has written since the stack began."""
        return self.stack.log(self.name)

    def journal(self, *, since: float = 0.0) -> list[dict[str, Any]]:
        """The HTTP exchanges it had after ``since`` (:func:`time.monotonic`)."""
        return [entry for entry in self.stack.journal(since=since) if entry["service"] == self.name]

    def restart(self) -> None:
        """Restart it on its port with its data; returns when it is healthy again."""
        self.stack.restart(self.name)
