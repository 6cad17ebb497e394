"""The ticketing service, with the caller's authority."""

from __future__ import annotations

from services.api.mcp_server import McpServer
from services.api.paging import page
from services.api.views import Ticket, TicketCreate, TicketPage, TicketQuery


class Ticketing:
    """Its tools as methods. Every one raises `ProblemError` when the service refuses or cannot be reached."""

    def __init__(self, server: McpServer) -> None:
        self._server = server

    async def search(self, asked: TicketQuery) -> TicketPage:
        """Tickets the caller may see, the last changed first."""
        return await page(self._server, "search_tickets", asked, TicketPage)

    async def get(self, key: str) -> Ticket:
        """The ticket of that key."""
        return await self._server.call("get_ticket", {"key": key}, Ticket, repeatable=True)

    async def create(self, ticket: TicketCreate) -> Ticket:
        """Open a ticket with the caller as reporter."""
        return await self._server.call("create_ticket", ticket.model_dump(mode="json"), Ticket, repeatable=False)
