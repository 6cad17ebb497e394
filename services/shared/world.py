"""The seeded world: organizations, their people and tickets. Same name and seed, same ids, times and text."""

from __future__ import annotations

import hashlib
import random
from base64 import b32encode
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from importlib import resources
from typing import Any, Literal

import yaml

_SUBJECTS = ("Mail", "Calendar", "Wiki", "Build server", "Payroll", "Projector", "Phone", "Badge", "Licence", "Backup")
_TROUBLES = (
    "does not start after the update",
    "is slow in the morning",
    "asks for a password again and again",
    "shows the wrong time zone",
    "needs more space",
    "is missing for a new colleague",
)
_SINCE = ("Monday", "the move", "the update")
_TYPES = ("incident", "request", "question", "problem", "task")
_STATUSES = ("open", "open", "in_progress", "pending", "resolved", "closed")
_PRIORITIES = ("low", "normal", "normal", "high", "urgent")

MemberStatus = Literal["active", "invited", "inactive"]
OrganizationStatus = Literal["active", "suspended"]
Visibility = Literal["public", "internal"]


@dataclass(frozen=True, slots=True)
class Person:
    """A member of one organization, with one role there. Who is in two has the same id, name and username in both."""

    id: str
    username: str
    name: str
    email: str
    role: str
    status: MemberStatus = "active"
    """``invited``: has not accepted yet. ``inactive``: was a member, and is still named where they worked."""
    invited_at: datetime | None = None
    invitation_expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Team:
    """People of an organization who share work."""

    id: str
    name: str
    member_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SeededComment:
    """What somebody said about a ticket. ``internal`` is not for those who only report."""

    author_id: str
    body: str
    visibility: Visibility
    at: datetime


@dataclass(frozen=True, slots=True)
class SeededTicket:
    """A ticket as the world begins; ``number`` counts from 1 within its organization.

    What is resolved or closed has a resolution. Comments come in the order of their times, none of them before
    ``created_at`` or after ``updated_at``.
    """

    number: int
    title: str
    description: str
    type: str
    status: str
    priority: str
    reporter_id: str
    assignee_id: str | None
    labels: tuple[str, ...]
    created_at: datetime
    updated_at: datetime
    resolution: str | None = None
    team_id: str | None = None
    comments: tuple[SeededComment, ...] = ()


@dataclass(frozen=True)
class Organization:
    """A tenant. ``prefix`` begins its ticket keys: ACME-12. Nobody signs in to one that is suspended."""

    id: str
    slug: str
    name: str
    prefix: str
    people: tuple[Person, ...]
    tickets: tuple[SeededTicket, ...]
    status: OrganizationStatus = "active"
    teams: tuple[Team, ...] = ()


@dataclass(frozen=True)
class World:
    """All there is when a stack starts."""

    name: str
    seed: int
    organizations: tuple[Organization, ...]


def read_yaml(text: str) -> Any:
    """A YAML document by libyaml where PyYAML has it: ten times as fast, and read at every start."""
    return yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506  # both are safe loaders


@lru_cache(maxsize=4)
def load(name: str, seed: int) -> World:
    """Read the world ``name`` and derive what it leaves open from ``seed``. It is kept: a world never changes.

    Raises:
        ValueError: there is no world of that name.
    """
    source = resources.files("services.shared").joinpath("worlds", f"{name}.yaml")
    if not name.isidentifier() or not source.is_file():
        known = sorted(path.name[:-5] for path in resources.files("services.shared").joinpath("worlds").iterdir())
        raise ValueError(f"there is no world named {name!r}; known: {', '.join(known)}")
    document = read_yaml(source.read_text(encoding="utf-8"))
    return World(
        name=name,
        seed=seed,
        organizations=tuple(_organization(entry, document, seed) for entry in document["organizations"]),
    )


def seeded_id(prefix: str, *parts: object) -> str:
    """An id such as ``usr_k5t3…`` (80 bits) that depends on nothing but its arguments."""
    digest = hashlib.sha256("\x1f".join(map(str, parts)).encode()).digest()
    return f"{prefix}_{b32encode(digest[:10]).decode().lower()}"


def _organization(entry: dict[str, Any], document: dict[str, Any], seed: int) -> Organization:
    slug = entry["slug"]
    people = tuple(
        Person(
            id=seeded_id("usr", seed, slug, person["username"]),
            username=person["username"],
            name=person["name"],
            email=f"{person['username']}@{slug}.example",
            role=person["role"],
        )
        for person in entry["people"]
    )
    return Organization(
        id=seeded_id("org", seed, slug),
        slug=slug,
        name=entry["name"],
        prefix=entry["prefix"],
        people=people,
        tickets=_tickets(entry, people, document, random.Random(f"{seed}/{slug}")),  # noqa: S311  # must repeat itself
    )


def _tickets(
    entry: dict[str, Any], people: tuple[Person, ...], document: dict[str, Any], rng: random.Random
) -> tuple[SeededTicket, ...]:
    ids = {person.username: person.id for person in people}
    agents = [person.username for person in people if person.role in ("agent", "admin", "owner")]
    written: list[dict[str, Any]] = list(entry["tickets"])
    while len(written) < document["tickets_per_organization"]:
        status = rng.choice(_STATUSES)
        written.append(
            {
                "title": f"{rng.choice(_SUBJECTS)} {rng.choice(_TROUBLES)}",
                "description": f"Seen by {rng.randint(1, 40)} people since {rng.choice(_SINCE)}.",
                "type": rng.choice(_TYPES),
                "status": status,
                "priority": rng.choice(_PRIORITIES),
                "reporter": rng.choice(people).username,
                "assignee": None if status == "open" else rng.choice(agents),
            }
        )
    epoch: datetime = document["epoch"]
    return tuple(
        SeededTicket(
            number=number,
            title=ticket["title"],
            description=ticket["description"],
            type=ticket["type"],
            status=ticket["status"],
            priority=ticket["priority"],
            reporter_id=ids[ticket["reporter"]],
            assignee_id=ids[ticket["assignee"]] if ticket.get("assignee") else None,
            labels=tuple(ticket.get("labels", ())),
            created_at=(at := epoch + timedelta(hours=7 * number, minutes=rng.randint(0, 59))),
            updated_at=at,
            resolution="Done." if ticket["status"] in ("resolved", "closed") else None,
        )
        for number, ticket in enumerate(written, start=1)
    )
