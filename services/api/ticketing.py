"""The ticketing service, with the caller's authority."""

from __future__ import annotations

from services.api.mcp_server import McpServer
from services.api.paging import page
from services.api.ticket_views import (
    Assignment,
    CommentCreate,
    CommentPage,
    Grouping,
    HistoryPage,
    NewComment,
    Ticket,
    TicketCreate,
    TicketPage,
    TicketQuery,
    TicketStats,
    TicketUpdate,
    TransitionCreate,
    TransitionList,
)
from services.api.views import Out, PageQuery


class _Deleted(Out):
    key: str


class Ticketing:
    """Its tools as methods. Every one raises `ProblemError` when the service refuses or cannot be reached.

    ``expected_version``: if the ticket has another by now, nothing happens but `Stale`. ``key``: see `idempotency`.
    """

    def __init__(self, server: McpServer) -> None:
        self._server = server

    async def search(self, asked: TicketQuery) -> TicketPage:
        """Tickets the caller may see."""
        return await page(self._server, "search_tickets", asked, TicketPage)

    async def stats(self, group_by: Grouping) -> TicketStats:
        """The tickets the caller may see, counted."""
        return await self._server.read("ticket_stats", {"group_by": group_by}, TicketStats)

    async def get(self, key: str) -> Ticket:
        """The ticket of that key."""
        return await self._server.read("get_ticket", {"key": key}, Ticket)

    async def create(self, ticket: TicketCreate, *, key: str | None) -> Ticket:
        """Open a ticket with the caller as reporter."""
        return await self._server.create("create_ticket", ticket.model_dump(mode="json"), Ticket, key=key)

    async def update(self, key: str, wanted: TicketUpdate, *, expected_version: int) -> Ticket:
        """Change what is said of a ticket."""
        changes = wanted.model_dump(mode="json", exclude_unset=True)
        return await self._server.change("update_ticket", _at(key, expected_version) | changes, Ticket)

    async def assign(self, key: str, to: Assignment, *, expected_version: int) -> Ticket:
        """Give a ticket to somebody, or to nobody."""
        arguments = _at(key, expected_version) | {"assignee": to.assignee_id}
        return await self._server.change("assign_ticket", arguments, Ticket)

    async def delete(self, key: str, *, expected_version: int) -> None:
        """Delete a ticket with all that was said and became of it."""
        await self._server.change("delete_ticket", _at(key, expected_version), _Deleted, meant=True)

    async def transitions(self, key: str) -> TransitionList:
        """What the caller may make of a ticket now."""
        return await self._server.read("list_transitions", {"key": key}, TransitionList)

    async def transition(self, key: str, move: TransitionCreate, *, expected_version: int | None) -> Ticket:
        """Move a ticket to another status."""
        arguments = _at(key, expected_version) | move.model_dump(mode="json", exclude_unset=True)
        return await self._server.change("transition_ticket", arguments, Ticket)

    async def comments(self, key: str, asked: PageQuery) -> CommentPage:
        """What was said about a ticket, as far as the caller may know."""
        return await page(self._server, "list_comments", asked, CommentPage, key=key)

    async def comment(self, ticket: str, comment: CommentCreate, *, key: str | None) -> NewComment:
        """Say something about a ticket in the caller's name."""
        arguments = {"key": ticket} | comment.model_dump(mode="json")
        return await self._server.create("add_comment", arguments, NewComment, key=key)

    async def history(self, key: str, asked: PageQuery) -> HistoryPage:
        """Who changed what of a ticket, and when."""
        return await page(self._server, "get_ticket_history", asked, HistoryPage, key=key)


def _at(key: str, version: int | None) -> dict[str, str | int | None]:
    return {"key": key} if version is None else {"key": key, "expected_version": version}
