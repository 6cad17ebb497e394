"""Tickets of the caller's organization. What the caller may see and do is decided by the ticketing service."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response

from services.api import conditions, paging
from services.api.conditions import NOT_MODIFIED, IfNoneMatch
from services.api.dependencies import TicketingClient
from services.api.strict_route import StrictRoute
from services.api.views import Ticket, TicketCreate, TicketPage, TicketQuery
from services.shared.problems import Malformed, NotFound, TooLarge, UnsupportedMediaType, problems

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


@router.get("", responses={200: paging.LINKED, **problems(NotFound)})
async def list_tickets(
    asked: Annotated[TicketQuery, Query()], ticketing: TicketingClient, request: Request, response: Response
) -> TicketPage:
    """Tickets the caller may see, the last changed first."""
    page = await ticketing.search(asked)
    paging.link(request, response, page.next_cursor)
    return page


@router.post(
    "",
    status_code=201,
    responses={
        201: _headers(ETag=_VERSION, Location="Where the new ticket is."),
        **problems(Malformed, TooLarge, UnsupportedMediaType),
    },
)
async def create_ticket(body: TicketCreate, ticketing: TicketingClient, response: Response) -> Ticket:
    """Open a ticket. The caller becomes its reporter."""
    ticket = await ticketing.create(body)
    response.headers["Location"] = f"{router.prefix}/{ticket.key}"
    response.headers["ETag"] = conditions.tag(ticket.version)
    return ticket


@router.get(
    "/{key}",
    response_model=Ticket,
    responses={
        200: _headers(ETag=_VERSION),
        NOT_MODIFIED: {"description": "It is still one of the versions in If-None-Match.", **_headers(ETag=_VERSION)},
        **problems(NotFound),
    },
)
async def get_ticket(
    key: TicketKey, ticketing: TicketingClient, response: Response, known: IfNoneMatch = None
) -> Ticket | Response:
    """One ticket. Another organization's key is answered like one that does not exist."""
    ticket = await ticketing.get(key)
    return conditions.answer(response, ticket.version, known) or ticket
