"""What ticketing promises, said again as simply as possible: a few tables, and dictionaries for tickets."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

WAYS = {
    "open": {"in_progress", "pending", "resolved", "cancelled"},
    "in_progress": {"open", "pending", "resolved", "cancelled"},
    "pending": {"open", "in_progress", "resolved", "cancelled"},
    "resolved": {"open", "closed"},
    "closed": set(),
    "cancelled": set(),
}
DONE = {"resolved", "closed", "cancelled"}
OWN_WAYS = {("open", "cancelled"), ("in_progress", "cancelled"), ("pending", "cancelled"), ("resolved", "open")}
"""All that requesters can do, with tickets they reported."""

STAFF = ("agent", "admin", "owner")
MAY: dict[str, tuple[str, tuple[str, ...]]] = {
    "read": ("tickets:read", ("viewer", "requester", *STAFF)),
    "create": ("tickets:write", ("requester", *STAFF)),
    "comment": ("tickets:write", ("requester", *STAFF)),
    "comment internally": ("tickets:write", STAFF),
    "move": ("tickets:write", ("requester", *STAFF)),
    "change": ("tickets:write", STAFF),
    "delete": ("tickets:delete", ("admin", "owner")),
}


@dataclass(frozen=True)
class Somebody:
    """A person with one role in one organization."""

    id: str
    role: str
    org: str = "org_1"
    scopes: frozenset[str] = frozenset({"tickets:read", "tickets:write", "tickets:delete"})

    def may(self, what: str) -> bool:
        """Whether scope and role both allow it."""
        scope, allowed = MAY[what]
        return scope in self.scopes and self.role in allowed

    def sees(self, ticket: Known | None) -> bool:
        """Whether it is there for them."""
        if ticket is None or ticket.org != self.org:
            return False
        return self.role != "requester" or ticket.fields["reporter_id"] == self.id


@dataclass(frozen=True)
class Told:
    """A change as the feed must tell it."""

    type: str
    key: str
    version: int
    reporter_id: str
    visibility: str | None = None

    def for_(self, who: Somebody) -> bool:
        """Whether somebody of the organization is told of it."""
        if who.role != "requester":
            return True
        return self.reporter_id == who.id and (self.type, self.visibility) != ("commented", "internal")


@dataclass
class Known:
    """A ticket as it must be."""

    org: str
    fields: dict[str, Any]
    version: int = 1
    comments: list[tuple[str, str, str]] = field(default_factory=list)
    """Author, text, visibility."""
    answered_at: datetime | None = None
    """The first answer, which nothing takes away."""

    def ways(self, who: Somebody) -> set[str]:
        """Where somebody who sees it can move it."""
        if not who.may("move"):
            return set()
        status = self.fields["status"]
        return {to for to in WAYS[status] if who.role != "requester" or (status, to) in OWN_WAYS}

    def refusal(self, who: Somebody, to: str, resolution: str | None) -> str | None:
        """Why somebody who sees it cannot move it there now."""
        if to in WAYS[self.fields["status"]] and to not in self.ways(who):
            return "forbidden"
        if to not in WAYS[self.fields["status"]]:
            return "conflict"
        return "invalid" if (to == "resolved") != (resolution is not None) else None

    def keeps(self, wanted: dict[str, Any]) -> str | None:
        """Why it does not become what is wanted: what is done keeps its priority."""
        other = wanted.get("priority", self.fields["priority"]) != self.fields["priority"]
        return "conflict" if other and self.fields["status"] in DONE else None

    def answer(self, who_id: str, at: datetime) -> None:
        """Let somebody have said something in public; the reporter does not answer."""
        if self.answered_at is None and who_id != self.fields["reporter_id"]:
            self.answered_at = at

    def move(self, to: str, resolution: str | None, *, at: datetime) -> None:
        """Let it have been moved. The end is an answer, whoever brings it."""
        if to in DONE and self.answered_at is None:
            self.answered_at = at
        reopened = (self.fields["status"], to) == ("resolved", "open")
        self.fields["status"] = to
        self.fields["resolution"] = None if reopened else resolution or self.fields["resolution"]
        self.version += 1


class Tickets(dict[str, Known]):
    """All there are, by key."""

    def unseen(self, who: Somebody, what: str, key: str) -> str | None:
        """Why somebody does not get at a ticket for this, before anything else is looked at."""
        if not who.may(what):
            return "forbidden"
        return None if who.sees(self.get(key)) else "not_found"

    def stale(self, key: str, version: int | None) -> str | None:
        """Whether a version that was read is no more."""
        return "conflict" if version not in (None, self[key].version) else None
