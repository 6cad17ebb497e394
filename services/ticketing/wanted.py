"""What a listing of tickets is asked for: which tickets, and in which order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Annotated, Literal, NamedTuple

from pydantic import AwareDatetime, Field

from services.ticketing.workflow import Priority, Status, TicketType

Sort = Literal["-updatedAt", "updatedAt", "-createdAt", "createdAt", "-priority", "priority", "-key", "key"]
Grouping = Literal["status", "priority", "type", "assignee", "team"]

Instant = Annotated[AwareDatetime, Field(ge=datetime(1970, 1, 1, tzinfo=UTC), lt=datetime(9999, 12, 31, tzinfo=UTC))]
"""A moment that has a name in every time zone."""

_Number = Annotated[int, Field(ge=0, lt=2**63)]


class Moment(NamedTuple):
    """Where a ticket stands in an order by time."""

    value: Instant
    number: _Number


class Rank(NamedTuple):
    """Where a ticket stands in an order by number or priority."""

    value: _Number
    number: _Number


Place = Moment | Rank


@dataclass(frozen=True, slots=True)
class Order:
    """An order of tickets. Those alike in it are in the order of their numbers."""

    column: str
    place: type[Moment] | type[Rank]


ORDERS: Mapping[str, Order] = {
    "updatedAt": Order("updated_at", Moment),
    "createdAt": Order("created_at", Moment),
    "priority": Order("urgency", Rank),
    "key": Order("number", Rank),
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which of the visible tickets a listing holds, and in which order. What is left out is not asked for."""

    query: str | None = None
    statuses: tuple[Status, ...] = ()
    priorities: tuple[Priority, ...] = ()
    kind: TicketType | None = None
    assignee_id: str | None = None
    unassigned: bool = False
    reporter_id: str | None = None
    labels: tuple[str, ...] = ()
    """All of them."""
    team_id: str | None = None
    updated_since: datetime | None = None
    sort: Sort = "-updatedAt"

    @property
    def order(self) -> Order:
        """By what is sorted, whichever way round."""
        return ORDERS[self.sort.removeprefix("-")]

    @property
    def down(self) -> bool:
        """Whether the greatest comes first."""
        return self.sort.startswith("-")

    @property
    def only_indexed(self) -> bool:
        """Whether nothing is asked for but a text and what is tallied."""
        return replace(self, query=None).only_tallied

    @property
    def only_tallied(self) -> bool:
        """Whether tallies can tell how many there are."""
        kinds = Wanted(statuses=self.statuses, priorities=self.priorities, kind=self.kind, sort=self.sort)
        return self == kinds
