"""All SQL about tickets. Each statement that reads them starts at ``_visible``, the one place that parts tenants."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, NamedTuple

from pydantic import AwareDatetime, Field
from sqlalchemy import Select, func, select, tuple_, update
from sqlalchemy.orm import Session

from services.shared.problems import Forbidden, NotFound
from services.ticketing.roles import Reach
from services.ticketing.tables import Tenant, Ticket
from services.ticketing.workflow import Status


class Place(NamedTuple):
    """Where a ticket stands in the order of listings: the last change first."""

    updated_at: AwareDatetime
    number: Annotated[int, Field(ge=1, lt=2**63)]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which of the visible tickets a listing holds. No statuses means any."""

    query: str | None = None
    statuses: tuple[Status, ...] = ()


@dataclass(frozen=True, slots=True)
class Page:
    """Some tickets of a listing, how many it holds in all, and where to go on (None: that was the end)."""

    items: list[Ticket]
    total: int
    end: Place | None


class TicketRepository:
    """The tickets within ``reach``, in one transaction."""

    def __init__(self, session: Session, reach: Reach) -> None:
        self._session = session
        self._reach = reach

    def get(self, key: str) -> Ticket:
        """The ticket of that key.

        Raises:
            NotFound: there is none within reach; whether there is one elsewhere makes no difference.
        """
        ticket = self._session.scalar(self._visible().where(Ticket.key == key))
        if ticket is None:
            raise NotFound(f"There is no ticket {key!r}.")
        return ticket

    def page(self, wanted: Wanted, *, limit: int, after: Place | None) -> Page:
        """Up to ``limit`` tickets that come after a place, the last changed first."""
        matching = self._matching(wanted)
        total = self._session.scalar(select(func.count()).select_from(matching.subquery())) or 0
        statement = matching.order_by(Ticket.updated_at.desc(), Ticket.number.desc()).limit(limit + 1)
        if after is not None:
            statement = statement.where(tuple_(Ticket.updated_at, Ticket.number) < tuple_(*after))
        items = list(self._session.scalars(statement))
        end = Place(items[limit - 1].updated_at, items[limit - 1].number) if len(items) > limit else None
        return Page(items[:limit], total, end)

    def next_key(self) -> tuple[int, str]:
        """A number never given out before in this organization, and the key it makes.

        Raises:
            Forbidden: ticketing does not know the organization.
        """
        statement = (
            update(Tenant)
            .where(Tenant.org_id == self._reach.org_id)
            .values(last_number=Tenant.last_number + 1)
            .returning(Tenant.last_number, Tenant.ticket_prefix)
        )
        row = self._session.execute(statement).one_or_none()
        if row is None:
            raise Forbidden("The token is about an organization that keeps no tickets here.")
        return row.last_number, f"{row.ticket_prefix}-{row.last_number}"

    def add(self, ticket: Ticket) -> None:
        """Store a new ticket."""
        self._session.add(ticket)

    def _visible(self) -> Select[Ticket]:
        visible = select(Ticket).where(Ticket.org_id == self._reach.org_id)
        if self._reach.reporter_id is not None:
            visible = visible.where(Ticket.reporter_id == self._reach.reporter_id)
        return visible

    def _matching(self, wanted: Wanted) -> Select[Ticket]:
        matching = self._visible()
        if wanted.query is not None:
            matching = matching.where(Ticket.searched.contains(wanted.query.casefold(), autoescape=True))
        if wanted.statuses:
            matching = matching.where(Ticket.status.in_(wanted.statuses))
        return matching
