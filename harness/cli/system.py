"""What the verbs about the system of this checkout share: finding it and showing it."""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from harness import state, worlds
from harness.cli.arguments import text
from harness.cli.render import Report
from harness.control import Control
from harness.errors import HarnessError, NotRunningError
from harness.lifecycle import Phase

if TYPE_CHECKING:
    from harness.person import Person
    from harness.stack import Stack

NAME = "up"
ANSWERS_IN_S = 10.0
STYLES = {
    Phase.HEALTHY: "green",
    Phase.STARTING: "yellow",
    Phase.CRASHED: "red",
    Phase.RESTARTING: "red",
    Phase.UNHEALTHY: "red",
}


def control() -> Control:
    """The supervisor that ``up`` started in this checkout.

    Raises:
        NotRunningError: there is none.
    """
    record = state.read(NAME)
    if record is None:
        raise NotRunningError("nothing is running in this checkout", todo="start it: python -m harness up")
    return Control(record.control_port, record.secret)


@contextlib.contextmanager
def running() -> Iterator[Stack]:
    """The system itself; what was opened of it is closed afterwards.

    Raises:
        NotRunningError: there is none.
    """
    from harness.stack import Stack  # noqa: PLC0415  # most verbs ask the supervisor only

    supervisor = control()
    stack = Stack(supervisor, supervisor.call("describe", name=NAME, within=ANSWERS_IN_S))
    try:
        yield stack
    finally:
        stack.close()


def add_json(parser: argparse.ArgumentParser, *, default: Any = False) -> None:
    """The option ``--json``, the same on every verb that has it."""
    parser.add_argument(
        "--json", action="store_true", default=default, help="print one JSON document instead of a table"
    )


def add_organization(parser: argparse.ArgumentParser) -> None:
    """The option that says for which of their organizations somebody signs in."""
    told = "one that they are in, by id or slug (default: the first)"
    parser.add_argument("--organization", type=text, metavar="ORG", help=told)


def sign_in(stack: Stack, username: str, organization: str | None) -> Person:
    """Somebody of the running system, signed in.

    Raises:
        SignInError: nobody of that name, or the request was refused.
        HarnessError: they are not in that organization; names those they are in.
    """
    users = [] if organization is None else stack.control("idp").users()
    of_them = [each for user in users if user["username"] == username for each in user["memberships"]]
    if of_them and not any(organization in (each["slug"], each["org_id"]) for each in of_them):
        raise HarnessError(
            f"{username!r} is not in the organization {organization!r}",
            todo=f"they are in {', '.join(each['slug'] or each['org_id'] for each in of_them)}",
        )
    return stack.sign_in(username, organization=organization)


def add_world(parser: argparse.ArgumentParser) -> None:
    """The options that say which world a system begins with."""
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="of the seeded world (default: 1)")
    parser.add_argument("--world", type=text, default=worlds.DEFAULT, metavar="NAME", help=worlds.HELP)


def report(described: Mapping[str, Any], *, uptime: bool = False) -> Report:
    """A stack's description as table and JSON; fine when every service is healthy."""
    services: Mapping[str, Mapping[str, Any]] = described["services"]
    columns = ["service", "url", "state", "pid", "ready in"]
    if uptime:
        columns += ["up for", "restarts"]
    rows = [
        (
            name,
            service["url"],
            f"[{STYLES.get(service['state'], 'dim')}]{service['state']}[/]",
            str(service["pid"] or "–"),
            "–" if service["ready_s"] is None else f"{service['ready_s']:.2f} s",
            duration(service["uptime_s"]),
            str(service["restarts"]),
        )[: len(columns)]
        for name, service in services.items()
    ]
    fine = all(service["state"] == Phase.HEALTHY for service in services.values())
    return Report(data=described, columns=columns, rows=rows, ok=fine)


def duration(seconds: float | None) -> str:
    """A length of time for people, in its two largest units."""
    if seconds is None:
        return "–"
    minutes, hours, days = int(seconds // 60), int(seconds // 3600), int(seconds // 86400)
    if days:
        return f"{days} d {hours % 24} h"
    if hours:
        return f"{hours} h {minutes % 60} min"
    return f"{minutes} min {int(seconds % 60)} s" if minutes else f"{int(seconds)} s"
