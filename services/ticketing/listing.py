"""All SQL about lists of tickets: pages, totals, statistics."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, func, select, true, tuple_
from sqlalchemy.orm import InstrumentedAttribute, Session

from services.ticketing import filters, sight, text_index
from services.ticketing.roles import Reach
from services.ticketing.tables import Tally, Ticket
from services.ticketing.text_index import FACETS, HITS
from services.ticketing.wanted import Grouping, Place, Wanted

FEW = 500
"""So many tickets are sorted here; where more match, the first ones are met soon in the order asked for."""

_GROUPS: dict[Grouping, InstrumentedAttribute[Any]] = {
    "status": Ticket.status,
    "priority": Ticket.priority,
    "type": Ticket.type,
    "assignee": Ticket.assignee_id,
    "team": Ticket.team_id,
}
_TALLIED: dict[Grouping, InstrumentedAttribute[Any]] = {
    "status": Tally.status,
    "priority": Tally.priority,
    "type": Tally.type,
}


@dataclass(frozen=True, slots=True)
class Page:
    """Some tickets of a listing, how many it holds in all, and where to go on (None: that was the end)."""

    items: list[Ticket]
    total: int
    end: Place | None


class _Found(NamedTuple):
    """A ticket that matches. These sort as the tickets do."""

    value: Any
    number: int
    place: int


@dataclass(frozen=True, slots=True)
class TicketListing:
    """The tickets within ``reach`` as lists, in one transaction."""

    session: Session
    reach: Reach

    def page(self, wanted: Wanted, *, limit: int, after: Place | None) -> Page:
        """Up to ``limit`` tickets that come after a place."""
        total = self._tallied(wanted)
        if total is None and wanted.query is None:
            total = self._count(wanted)  # in an index; texts are counted only if there is no way round it
        if total is None or total <= FEW:
            few = self._few(wanted)
            if len(few) <= FEW:
                items = self._picked(few, wanted, limit=limit + 1, after=after)
                return _page(items, len(few), wanted, limit)
        if total is None:
            total = self._count(wanted)
        items = list(self.session.scalars(self._in_order(wanted, limit=limit + 1, after=after)))
        return _page(items, total, wanted, limit)

    def groups(self, by: Grouping) -> list[tuple[str | None, int]]:
        """How many tickets there are of each kind, the largest group first."""
        if by in _TALLIED and self.reach.reporter_id is None:
            kind, counted = _TALLIED[by], func.sum(Tally.count)
            statement = sight.tallies(self.reach).with_only_columns(kind, counted).having(counted > 0)
        else:
            kind = _GROUPS[by]
            statement = sight.tickets(self.reach).with_only_columns(kind, func.count())
        rows = self.session.execute(statement.group_by(kind))
        return sorted(((value, int(count)) for value, count in rows), key=lambda row: (-row[1], row[0] or ""))

    def keys(self, started: str, *, limit: int) -> list[str]:
        """Keys that begin so, the last changed first."""
        beginning = Ticket.key.startswith(started.upper(), autoescape=True) if started else true()
        statement = sight.tickets(self.reach).with_only_columns(Ticket.key).where(beginning)
        return list(self.session.scalars(statement.order_by(Ticket.updated_at.desc(), Ticket.number).limit(limit)))

    def _tallied(self, wanted: Wanted) -> int | None:
        """The total without looking at tickets, where that can be known."""
        if self.reach.reporter_id is not None or not wanted.only_tallied:
            return None
        statement = sight.tallies(self.reach).with_only_columns(func.sum(Tally.count))
        return int(self.session.scalar(statement.where(*filters.conditions(wanted, Tally))) or 0)

    def _count(self, wanted: Wanted) -> int:
        if self._looks_up(wanted) and wanted.only_indexed:
            hits = select(func.count()).select_from(HITS)
            return self.session.scalar(hits.where(*sight.hits(self.reach), _holds(wanted))) or 0
        return self.session.scalar(self._matching(wanted, "place").with_only_columns(func.count())) or 0

    def _few(self, wanted: Wanted) -> list[_Found]:
        """Those that match, but not many more than a few."""
        rows = self.session.execute(self._matching(wanted, wanted.order.column, "number", "place").limit(FEW + 1))
        return [_Found(*row) for row in rows]

    def _picked(self, few: list[_Found], wanted: Wanted, *, limit: int, after: Place | None) -> list[Ticket]:
        """The next tickets of a listing that is all here."""
        few.sort(reverse=wanted.down)
        if after is not None:
            here = tuple(after)
            few = [found for found in few if (found[:2] < here if wanted.down else found[:2] > here)]
        places = [found.place for found in few[:limit]]
        statement = sight.tickets(self.reach).where(Ticket.place.in_(places))
        tickets = {ticket.place: ticket for ticket in self.session.scalars(statement)}
        return [tickets[place] for place in places]

    def _matching(self, wanted: Wanted, *columns: str) -> Select[Any]:
        """Columns of the tickets in the listing, in whatever order they are found soonest."""
        visible: Select[Any] = sight.tickets(self.reach)
        of: Any = Ticket
        if self._looks_up(wanted) or (self._beside and wanted.labels and wanted.query is None):
            visible, of = sight.facets(self.reach), FACETS.c
        if self._looks_up(wanted):
            visible = visible.join(HITS, FACETS.c.place == text_index.PLACE)
            visible = visible.where(_holds(wanted), *sight.hits(self.reach))
        elif wanted.query is not None:
            visible = visible.where(_contains(wanted.query))
        asked = (*filters.conditions(wanted, of), *filters.among_labelled(self.reach, wanted, of.place))
        return visible.with_only_columns(*(getattr(of, name) for name in columns)).where(*asked)

    def _in_order(self, wanted: Wanted, *, limit: int, after: Place | None) -> Select[Ticket]:
        """The next tickets of the listing, found by going through the order asked for."""
        column = getattr(Ticket, wanted.order.column)
        asked = (*filters.conditions(wanted, filters.Looked()), *filters.labelled(self.reach, wanted, Ticket.place))
        statement = sight.tickets(self.reach).where(*asked)
        if wanted.query is not None:
            statement = statement.where(_contains(wanted.query))
        if after is not None:
            here, there = tuple_(column, Ticket.number), tuple_(*after)
            statement = statement.where(here < there if wanted.down else here > there)
        if wanted.down:
            return statement.order_by(column.desc(), Ticket.number.desc()).limit(limit)
        return statement.order_by(column, Ticket.number).limit(limit)

    @property
    def _beside(self) -> bool:
        """Whether there are an index of texts and facets beside the tickets."""
        return self.session.get_bind().dialect.name == "sqlite"

    def _looks_up(self, wanted: Wanted) -> bool:
        """Whether the text is looked up in the index. What one person has to do with is sooner read as a whole."""
        one_person = self.reach.reporter_id or wanted.reporter_id or wanted.assignee_id
        long_enough = wanted.query is not None and len(wanted.query.casefold()) >= text_index.SHORTEST
        return self._beside and long_enough and not one_person


def _holds(wanted: Wanted) -> ColumnElement[bool]:
    kind = () if wanted.kind is None else (wanted.kind,)
    return text_index.holds(
        (wanted.query or "").casefold(), status=wanted.statuses, priority=wanted.priorities, type=kind
    )


def _contains(query: str) -> ColumnElement[bool]:
    return Ticket.searched.contains(query.casefold(), autoescape=True)


def _page(items: list[Ticket], total: int, wanted: Wanted, limit: int) -> Page:
    if len(items) <= limit:
        return Page(items, total, None)
    last = items[limit - 1]
    return Page(items[:limit], total, wanted.order.place(getattr(last, wanted.order.column), last.number))
