"""What a world is made of."""

from __future__ import annotations

import hashlib
from base64 import b32encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Literal

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
    """A tenant. ``prefix`` begins its ticket keys: ACME-12. Nobody signs in to one that is suspended.

    Nothing in it depends on another organization, but for people who are members of both.
    """

    id: str
    slug: str
    name: str
    prefix: str
    people: tuple[Person, ...]
    status: OrganizationStatus
    teams: tuple[Team, ...]
    ticket_count: int
    each_ticket: Callable[[], Iterator[SeededTicket]] = field(repr=False, compare=False)
    """The tickets by number, made while they are asked for: a large world fits no memory twice."""

    @cached_property
    def tickets(self) -> tuple[SeededTicket, ...]:
        """All of them, kept. Most services never ask."""
        return tuple(self.each_ticket())


@dataclass(frozen=True)
class World:
    """All there is when a stack starts."""

    name: str
    seed: int
    organizations: tuple[Organization, ...]

    def digest(self) -> str:
        """SHA-256 of everything in it, in hexadecimal: two worlds are equal if theirs are."""
        everything = hashlib.sha256(repr(self.seed).encode())
        for organization in self.organizations:
            everything.update(repr(organization).encode())
            for ticket in organization.each_ticket():
                everything.update(repr(ticket).encode("utf-8", "surrogatepass"))
        return everything.hexdigest()


def seeded_id(prefix: str, *parts: object) -> str:
    """An id such as ``usr_k5t3…`` (80 bits) that depends on nothing but its arguments."""
    digest = hashlib.sha256("\x1f".join(map(str, parts)).encode()).digest()
    return f"{prefix}_{b32encode(digest[:10]).decode().lower()}"
