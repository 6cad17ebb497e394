"""Tickets of the caller's organization. What the caller may see and do is decided by the ticketing service."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Response

from services.api.dependencies import TicketingClient
from services.api.strict_route import StrictRoute
from services.api.views import Ticket, TicketCreate, TicketPage, TicketQuery
from services.shared.problems import Invalid, Malformed, NotFound, TooLarge, UnsupportedMediaType, problems

router = APIRouter(prefix="/api/tickets", tags=["tickets"], route_class=StrictRoute)

TicketKey = Annotated[
    str, Path(pattern=r"^[A-Z][A-Z0-9]{1,9}-[1-9][0-9]{0,8}$", description="Such as `ACME-12`.", examples=["ACME-12"])
]


def _headers(**described: str) -> dict[str, Any]:
    return {
        "headers": {
            name: {"description": text, "required": True, "schema": {"type": "string"}}
            for name, text in described.items()
        }
    }


_VERSION = "The ticket's version as an entity tag (RFC 9110 §8.8.3)."


@router.get("", responses=problems(NotFound, Invalid))
async def list_tickets(asked: Annotated[TicketQuery, Query()], ticketing: TicketingClient) -> TicketPage:
    """Tickets the caller may see, the last changed first."""
    return await ticketing.search(asked)


@router.post(
    "",
    status_code=201,
    responses={
        201: _headers(ETag=_VERSION, Location="Where the new ticket is."),
        **problems(Malformed, TooLarge, UnsupportedMediaType, Invalid),
    },
)
async def create_ticket(body: TicketCreate, ticketing: TicketingClient, response: Response) -> Ticket:
    """Open a ticket. The caller becomes its reporter."""
    ticket = await ticketing.create(body)
    response.headers["Location"] = f"{router.prefix}/{ticket.key}"
    response.headers["ETag"] = f'"{ticket.version}"'
    return ticket


@router.get("/{key}", responses={200: _headers(ETag=_VERSION), **problems(NotFound, Invalid)})
async def get_ticket(key: TicketKey, ticketing: TicketingClient, response: Response) -> Ticket:
    """One ticket. Another organization's key is answered like one that does not exist."""
    ticket = await ticketing.get(key)
    response.headers["ETag"] = f'"{ticket.version}"'
    return ticket
