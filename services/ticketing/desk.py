"""What people can have done with tickets. One call is one transaction, on behalf of one caller."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from services.shared.database import Database
from services.shared.mcp import cursor as cursors
from services.shared.permissions import Caller
from services.ticketing import roles
from services.ticketing.repository import Page, Place, TicketRepository, Wanted
from services.ticketing.tables import Ticket, searched
from services.ticketing.workflow import FIRST_STATUS, Priority, TicketType


@dataclass(frozen=True, slots=True)
class Draft:
    """What its reporter says of a ticket that is to be."""

    title: str
    description: str
    type: TicketType
    priority: Priority
    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Listing:
    """A page of tickets and the cursor of the next one."""

    page: Page
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class TicketDesk:
    """The use cases, for one caller. ``now`` and ``new_id`` are the only clock and chance there are."""

    caller: Caller
    database: Database
    now: Callable[[], datetime]
    new_id: Callable[[], str]

    def search(self, wanted: Wanted, *, limit: int, cursor: str | None) -> Listing:
        """A page of the tickets the caller may see.

        Raises:
            Forbidden: the caller may not read tickets.
            Invalid: the cursor is not of this listing.
        """
        reach = roles.reach(self.caller)
        after = None if cursor is None else cursors.unseal(cursor, Place, listing=(reach, wanted))
        with self.database.reading() as session:
            page = TicketRepository(session, reach).page(wanted, limit=limit, after=after)
        return Listing(page, None if page.end is None else cursors.seal(page.end, listing=(reach, wanted)))

    def get(self, key: str) -> Ticket:
        """One ticket.

        Raises:
            Forbidden: the caller may not read tickets.
            NotFound: not within the caller's sight.
        """
        with self.database.reading() as session:
            return TicketRepository(session, roles.reach(self.caller)).get(key)

    def create(self, draft: Draft) -> Ticket:
        """Open a ticket; the caller is its reporter.

        Raises:
            Forbidden: the caller may not create tickets.
        """
        self.caller.require(roles.CREATE)
        with self.database.writing() as session:
            tickets = TicketRepository(session, roles.Reach(self.caller.org_id))
            number, key = tickets.next_key()
            ticket = self._opened(draft, number=number, key=key)
            tickets.add(ticket)
        return ticket

    def _opened(self, draft: Draft, *, number: int, key: str) -> Ticket:
        at = self.now()
        labels = list(dict.fromkeys(draft.labels))
        return Ticket(
            id=self.new_id(),
            org_id=self.caller.org_id,
            number=number,
            key=key,
            title=draft.title,
            description=draft.description,
            type=draft.type,
            status=FIRST_STATUS,
            priority=draft.priority,
            reporter_id=self.caller.subject,
            assignee_id=None,
            labels=labels,
            version=1,
            created_at=at,
            updated_at=at,
            searched=searched(key=key, title=draft.title, description=draft.description, labels=labels),
        )
