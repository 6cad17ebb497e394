"""What people can get to know of tickets. One call is one transaction, on behalf of one caller."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Annotated, Literal, NamedTuple

from pydantic import Field

from services.shared import feed
from services.shared.database import Database
from services.shared.mcp import cursor as cursors
from services.shared.mcp.feed import Feed
from services.shared.permissions import Caller
from services.ticketing import roles, sight
from services.ticketing.feed_views import FeedView, TicketChangeView
from services.ticketing.listing import TicketListing
from services.ticketing.repository import TicketRepository
from services.ticketing.tables import Comment, FeedEntry, HistoryEntry, Ticket
from services.ticketing.views import (
    CommentPageView,
    CommentView,
    EntryView,
    GroupView,
    HistoryPageView,
    ListedTicketView,
    StatsView,
    TicketDetailView,
    TicketPageView,
    TicketView,
    TransitionListView,
    TransitionView,
)
from services.ticketing.wanted import Grouping, Wanted

INCLUDED = 50
"""As many comments and entries come with a ticket; the rest has lists of its own."""

Included = Literal["comments", "history"]


class After(NamedTuple):
    """Where a page of comments or entries ended."""

    seq: Annotated[int, Field(ge=0, lt=2**31)]


@dataclass(frozen=True, slots=True)
class TicketReader:
    """All that changes nothing, for one caller.

    It raises Forbidden where scope or role do not allow it, NotFound for a ticket out of the caller's sight, and
    Invalid for a cursor of another listing.
    """

    caller: Caller
    database: Database
    now: Callable[[], datetime]

    def search(self, wanted: Wanted, *, limit: int, cursor: str | None) -> TicketPageView:
        """A page of the tickets the caller may see."""
        reach = roles.reach(self.caller)
        after = None if cursor is None else cursors.unseal(cursor, wanted.order.place, listing=(reach, wanted))
        with self.database.reading() as session:
            page = TicketListing(session, reach).page(wanted, limit=limit, after=after)
        at = self.now()
        return TicketPageView(
            items=[ListedTicketView.of(ticket, at=at) for ticket in page.items],
            next_cursor=None if page.end is None else cursors.seal(page.end, listing=(reach, wanted)),
            total=page.total,
        )

    def keys(self, started: str, *, limit: int) -> list[str]:
        """Keys of visible tickets that begin so, the last changed first."""
        reach = roles.reach(self.caller)
        with self.database.reading() as session:
            return TicketListing(session, reach).keys(started, limit=limit)

    def stats(self, by: Grouping) -> StatsView:
        """The visible tickets, counted by what they have in common."""
        reach = roles.reach(self.caller)
        with self.database.reading() as session:
            counted = TicketListing(session, reach).groups(by)
        groups = [GroupView(value=value, count=count) for value, count in counted]
        return StatsView(group_by=by, total=sum(group.count for group in groups), groups=groups)

    def get(self, key: str, include: frozenset[Included] = frozenset()) -> TicketDetailView:
        """One ticket, and the last of what was said and done if that is included."""
        reach = roles.reach(self.caller)
        with self.database.reading() as session:
            tickets = TicketRepository(session, reach)
            ticket = tickets.get(key)
            said = tickets.comments(ticket, limit=INCLUDED, after=None)[0] if "comments" in include else None
            done = tickets.history(ticket, limit=INCLUDED, after=None)[0] if "history" in include else None
        return TicketDetailView.including(
            ticket,
            at=self.now(),
            comments=None if said is None else [CommentView.of(comment) for comment in said],
            history=None if done is None else [EntryView.of(entry) for entry in done],
        )

    def comments(self, key: str, *, limit: int, cursor: str | None) -> CommentPageView:
        """A page of what was said about a ticket."""
        reach = roles.reach(self.caller)
        with self.database.reading() as session:
            tickets = TicketRepository(session, reach)
            ticket = tickets.get(key)
            listing = (reach, "comments", ticket.id)
            rows, total = tickets.comments(ticket, limit=limit + 1, after=_seq(cursor, listing))
        views = [CommentView.of(row) for row in rows[:limit]]
        return CommentPageView(items=views, next_cursor=_next(rows, limit, listing), total=total)

    def history(self, key: str, *, limit: int, cursor: str | None) -> HistoryPageView:
        """A page of what became of a ticket."""
        reach = roles.reach(self.caller)
        with self.database.reading() as session:
            tickets = TicketRepository(session, reach)
            ticket = tickets.get(key)
            listing = (reach, "history", ticket.id)
            rows, total = tickets.history(ticket, limit=limit + 1, after=_seq(cursor, listing))
        views = [EntryView.of(row) for row in rows[:limit]]
        return HistoryPageView(items=views, next_cursor=_next(rows, limit, listing), total=total)

    def transitions(self, key: str) -> TransitionListView:
        """What the caller could make of a ticket now."""
        reach = roles.reach(self.caller)
        with self.database.reading() as session:
            ticket = TicketRepository(session, reach).get(key)
        ways = roles.ways(self.caller, ticket.status, reporter_id=ticket.reporter_id)
        return TransitionListView(
            key=ticket.key,
            status=ticket.status,
            version=ticket.version,
            transitions=[TransitionView.of(way) for way in ways],
        )

    def changes(self, after: int | None, mark: str | None = None, *, limit: int) -> FeedView:
        """What was done after a position that the caller may see; without one, where the feed ends.

        Raises:
            Conflict: the position, or the ``mark`` of it, is another feed's.
        """
        reach = roles.reach(self.caller)
        with self.database.reading() as session:
            part = feed.part(session, FeedEntry, reach.org_id, sight.feed(reach), after=after, mark=mark, limit=limit)
        items = [TicketChangeView.of(entry) for entry in part.entries]
        return FeedView(items=items, position=part.position, mark=part.mark, more=part.more)

    def following(self, *, limit: int) -> Feed[FeedView]:
        """The same, to be followed."""
        return Feed(partial(self.changes, limit=limit), self.database.news, topic=self.caller.org_id)

    def told(self, ticket: Ticket) -> TicketView:
        """The ticket as it is now."""
        return TicketView.of(ticket, at=self.now())


def _seq(cursor: str | None, listing: Hashable) -> int:
    return 0 if cursor is None else cursors.unseal(cursor, After, listing=listing).seq


def _next(rows: Sequence[Comment | HistoryEntry], limit: int, listing: Hashable) -> str | None:
    return cursors.seal(After(rows[limit - 1].seq), listing=listing) if len(rows) > limit else None
