"""What has become of a ticket, entry by entry. Nothing is taken back: what a ticket is now is its history, folded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, cast, get_args

from services.ticketing.sla import Clock
from services.ticketing.workflow import Priority, Status

Field = Literal[
    "title",
    "description",
    "type",
    "status",
    "priority",
    "resolution",
    "reporter_id",
    "assignee_id",
    "team_id",
    "labels",
]
"""What of a ticket can change, and is told when it does."""

FIELDS: tuple[Field, ...] = get_args(Field)

SAID = frozenset[Field]({"title", "description", "resolution", "labels"})
"""What people said in words of their own. The history has it and is deleted with the ticket; the feed stays."""

Value = str | list[str] | None
EntryType = Literal["created", "updated", "transitioned", "assigned", "commented"]
FeedType = Literal["created", "updated", "transitioned", "assigned", "commented", "deleted"]
Visibility = Literal["public", "internal"]


@dataclass(frozen=True, slots=True)
class Change:
    """One field, as it was and as it has become."""

    field: Field
    before: Value
    after: Value


@dataclass(frozen=True, slots=True)
class Actor:
    """Who did it: the person, the client they used, the service that spoke for them, and the trace it belongs to."""

    id: str
    client_id: str = ""
    acting: str | None = None
    trace_id: str | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """One accepted write. ``seq`` counts from 1 without a gap, and is the version the ticket had afterwards."""

    seq: int
    at: datetime
    type: EntryType
    actor: Actor
    changes: tuple[Change, ...] = ()
    comment: Visibility | None = None
    """Whom the comment is for that came with it, if one did."""

    @property
    def hidden(self) -> bool:
        """Whether it is nothing but an internal comment."""
        return self.type == "commented" and self.comment == "internal"


@dataclass(frozen=True, slots=True)
class Folded:
    """A ticket as its history has it."""

    fields: Mapping[Field, Value]
    clock: Clock
    version: int
    updated_at: datetime

    @property
    def status(self) -> Status:
        """Where it stands."""
        return cast(Status, self.fields["status"])

    @property
    def priority(self) -> Priority:
        """How urgent it is."""
        return cast(Priority, self.fields["priority"])


def creation(fields: Mapping[Field, Value], *, at: datetime, actor: Actor) -> Entry:
    """The entry a ticket begins with."""
    return Entry(1, at, "created", actor, tuple(Change(field, None, value) for field, value in fields.items()))


def changed(now: Mapping[Field, Value], wanted: Mapping[Field, Value]) -> tuple[Change, ...]:
    """What would have to change for ``now`` to be as ``wanted``."""
    return tuple(Change(field, now[field], value) for field, value in wanted.items() if now[field] != value)


def advanced(clock: Clock, entry: Entry, *, reporter_id: str) -> Clock:
    """The ticket's clock after an entry: it stands and goes with the status, and a first answer is noted."""
    for change in entry.changes:
        if change.field == "status":
            clock = clock.moved(cast(Status, change.after), at=entry.at)
    answers = entry.comment == "public" and entry.actor.id != reporter_id
    return clock.answered(at=entry.at) if answers else clock


def fold(entries: Iterable[Entry]) -> Folded:
    """The ticket after all of its entries, which begin with the one that created it.

    Raises:
        ValueError: the entries have a gap, or one does not follow from those before it.
    """
    first, *later = entries
    if (first.seq, first.type) != (1, "created"):
        raise ValueError(f"a history begins with its creation as 1, not with {first.type} as {first.seq}")
    fields = {change.field: change.after for change in first.changes}
    reporter_id = str(fields["reporter_id"])
    clock, last = advanced(Clock(first.at), first, reporter_id=reporter_id), first
    for entry in later:
        if entry.seq != last.seq + 1:
            raise ValueError(f"entry {entry.seq} follows entry {last.seq}")
        for change in entry.changes:
            if fields[change.field] != change.before:
                raise ValueError(f"entry {entry.seq} changes {change.field} from {change.before!r}, which it was not")
            fields[change.field] = change.after
        clock, last = advanced(clock, entry, reporter_id=reporter_id), entry
    return Folded(fields, clock, version=last.seq, updated_at=last.at)
