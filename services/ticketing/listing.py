"""All SQL about lists of tickets: filters, orders, pages, totals, statistics."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import AwareDatetime, Field
from sqlalchemy import ColumnElement, Select, func, select, true, tuple_
from sqlalchemy.orm import InstrumentedAttribute, Session

from services.ticketing import labels, sight, text_index
from services.ticketing.roles import Reach
from services.ticketing.tables import Tally, Ticket, TicketLabel
from services.ticketing.workflow import Priority, Status, TicketType

Sort = Literal[
    "-updatedAt", "updatedAt", "-createdAt", "createdAt", "-priority", "priority", "-key", "key"
]  # fmt: skip
Grouping = Literal["status", "priority", "type", "assignee", "team"]

FEW = 500
"""So many tickets are read and sorted here; where more match, the first ones are met soon in the order asked for."""

_Number = Annotated[int, Field(ge=0, lt=2**63)]


class Moment(NamedTuple):
    """Where a ticket stands in an order by time."""

    value: AwareDatetime
    number: _Number


class Rank(NamedTuple):
    """Where a ticket stands in an order by number or priority."""

    value: _Number
    number: _Number


Place = Moment | Rank

_ORDERS: dict[str, tuple[InstrumentedAttribute[Any], type[Moment] | type[Rank], str | None]] = {
    "updatedAt": (Ticket.updated_at, Moment, "latest_first"),
    "createdAt": (Ticket.created_at, Moment, "newest_first"),
    "priority": (Ticket.urgency, Rank, "most_urgent_first"),
    "key": (Ticket.number, Rank, None),
}
"""By what is sorted, what tells a place in that order, and the index that has it."""

_GROUPS: dict[Grouping, InstrumentedAttribute[Any]] = {
    "status": Ticket.status,
    "priority": Ticket.priority,
    "type": Ticket.type,
    "assignee": Ticket.assignee_id,
    "team": Ticket.team_id,
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
    def order(self) -> str:
        """By what is sorted, whichever way round."""
        return self.sort.removeprefix("-")

    @property
    def place(self) -> type[Moment] | type[Rank]:
        """What a place in that order is told by."""
        return _ORDERS[self.order][1]


@dataclass(frozen=True, slots=True)
class Page:
    """Some tickets of a listing, how many it holds in all, and where to go on (None: that was the end)."""

    items: list[Ticket]
    total: int
    end: Place | None


@dataclass(frozen=True, slots=True)
class TicketListing:
    """The tickets within ``reach`` as lists, in one transaction."""

    session: Session
    reach: Reach
    _indexed: bool = field(init=False, default=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_indexed", self.session.get_bind().dialect.name == "sqlite")

    def page(self, wanted: Wanted, *, limit: int, after: Place | None) -> Page:
        """Up to ``limit`` tickets that come after a place."""
        total = self._tallied(wanted)
        if total is None or total <= FEW:
            few = self._places(wanted)
            if len(few) <= FEW:
                return self._sorted(few, wanted, limit=limit, after=after)
        if total is None:
            total = self._count(wanted)
        items = list(self.session.scalars(self._in_order(wanted, limit=limit + 1, after=after)))
        return _page(items, total, wanted, limit)

    def groups(self, by: Grouping) -> list[tuple[str | None, int]]:
        """How many tickets there are of each kind, the largest group first."""
        if by in ("status", "priority", "type") and self.reach.reporter_id is None:
            kind: Any = getattr(Tally, by)
            counted: Any = func.sum(Tally.count)
            statement = sight.tallies(self.reach).with_only_columns(kind, counted).having(counted > 0)
        else:
            kind, counted = _GROUPS[by], func.count()
            statement = sight.tickets(self.reach).with_only_columns(kind, counted)
        rows = self.session.execute(statement.group_by(kind))
        return sorted(((value, int(count)) for value, count in rows), key=lambda row: (-row[1], row[0] or ""))

    def keys(self, started: str, *, limit: int) -> list[str]:
        """Keys that begin so, the last changed first."""
        beginning = Ticket.key.startswith(started.upper(), autoescape=True) if started else true()
        statement = sight.tickets(self.reach).with_only_columns(Ticket.key).where(beginning)
        return list(self.session.scalars(statement.order_by(Ticket.updated_at.desc(), Ticket.number).limit(limit)))

    def _tallied(self, wanted: Wanted) -> int | None:
        """The total without looking at tickets, where that can be known."""
        others = (wanted.query, wanted.assignee_id, wanted.reporter_id, wanted.team_id, wanted.updated_since)
        if self.reach.reporter_id or wanted.unassigned or wanted.labels or any(others):
            return None
        statement = sight.tallies(self.reach).with_only_columns(func.sum(Tally.count))
        for column, values in ((Tally.status, wanted.statuses), (Tally.priority, wanted.priorities)):
            if values:
                statement = statement.where(column.in_(values))
        if wanted.kind:
            statement = statement.where(Tally.type == wanted.kind)
        return int(self.session.scalar(statement) or 0)

    def _count(self, wanted: Wanted) -> int:
        if self._looks_up(wanted) and not self.reach.reporter_id and wanted == _only_text(wanted):
            hits = select(func.count()).select_from(text_index.HITS)
            return self.session.scalar(hits.where(*self._hits(wanted))) or 0
        return self.session.scalar(self._matching(wanted).with_only_columns(func.count())) or 0

    def _places(self, wanted: Wanted) -> list[tuple[Any, int, int]]:
        """Value to sort by, number and place of the tickets that match, but not many more than a few."""
        columns = (_ORDERS[wanted.order][0], Ticket.number, Ticket.place)
        rows = self.session.execute(self._matching(wanted).with_only_columns(*columns).limit(FEW + 1))
        return [(value, number, place) for value, number, place in rows]

    def _sorted(self, few: list[tuple[Any, int, int]], wanted: Wanted, *, limit: int, after: Place | None) -> Page:
        down = wanted.sort.startswith("-")
        few.sort(reverse=down)
        if after is not None:
            few_after = [row for row in few if (row[:2] < tuple(after) if down else row[:2] > tuple(after))]
        else:
            few_after = few
        places = [place for _, _, place in few_after[: limit + 1]]
        found = {
            ticket.place: ticket
            for ticket in self.session.scalars(sight.tickets(self.reach).where(Ticket.place.in_(places)))
        }
        return _page([found[place] for place in places], len(few), wanted, limit)

    def _matching(self, wanted: Wanted) -> Select[Ticket]:
        """The tickets of the listing, in whatever order they are found soonest."""
        statement = sight.tickets(self.reach).where(*_filters(self.reach, wanted))
        if wanted.query is None:
            return statement
        if not self._looks_up(wanted):
            return statement.where(_contains(wanted.query))
        found = statement.join(text_index.HITS, Ticket.place == text_index.PLACE)
        return found.where(*self._hits(wanted))

    def _in_order(self, wanted: Wanted, *, limit: int, after: Place | None) -> Select[Ticket]:
        """The next tickets of the listing, found by going through the order asked for."""
        column, _, index = _ORDERS[wanted.order]
        statement = sight.tickets(self.reach).where(*_filters(self.reach, wanted))
        if index is not None:
            statement = statement.with_hint(Ticket, f"INDEXED BY {index}", "sqlite")
        if wanted.query is not None:
            statement = statement.where(_contains(wanted.query))
        down = wanted.sort.startswith("-")
        if after is not None:
            here, there = tuple_(column, Ticket.number), tuple_(*after)
            statement = statement.where(here < there if down else here > there)
        order = (column.desc(), Ticket.number.desc()) if down else (column.asc(), Ticket.number.asc())
        return statement.order_by(*order).limit(limit)

    def _looks_up(self, wanted: Wanted) -> bool:
        return self._indexed and wanted.query is not None and len(wanted.query.casefold()) >= text_index.SHORTEST

    def _hits(self, wanted: Wanted) -> tuple[ColumnElement[bool], ...]:
        return text_index.holds((wanted.query or "").casefold()), *sight.hits(self.reach)


def _only_text(wanted: Wanted) -> Wanted:
    return Wanted(wanted.query, sort=wanted.sort)


def _contains(query: str) -> ColumnElement[bool]:
    return Ticket.searched.contains(query.casefold(), autoescape=True)


def _filters(reach: Reach, wanted: Wanted) -> list[ColumnElement[bool]]:
    """All that is asked for but the text."""
    conditions: list[ColumnElement[bool]] = []
    if wanted.statuses:
        conditions.append(Ticket.status.in_(wanted.statuses))
    if wanted.priorities:
        conditions.append(Ticket.priority.in_(wanted.priorities))
    if wanted.unassigned:
        conditions.append(Ticket.assignee_id.is_(None))
    if wanted.updated_since is not None:
        conditions.append(Ticket.updated_at >= wanted.updated_since)
    for column, value in (
        (Ticket.type, wanted.kind),
        (Ticket.assignee_id, wanted.assignee_id),
        (Ticket.reporter_id, wanted.reporter_id),
        (Ticket.team_id, wanted.team_id),
    ):
        if value is not None:
            conditions.append(column == value)
    conditions += [_labelled(reach, label) for label in wanted.labels]
    return conditions


def _labelled(reach: Reach, label: str) -> ColumnElement[bool]:
    alike = (TicketLabel.org_id == reach.org_id, TicketLabel.label == labels.folded(label))
    return Ticket.place.in_(select(TicketLabel.place).where(*alike))


def _page(items: list[Ticket], total: int, wanted: Wanted, limit: int) -> Page:
    if len(items) <= limit:
        return Page(items, total, None)
    column, place, _ = _ORDERS[wanted.order]
    last = items[limit - 1]
    return Page(items[:limit], total, place(getattr(last, column.key), last.number))
