"""Tickets of the caller's organization. What the caller may see and do is decided by the ticketing service."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response
from starlette.convertors import StringConvertor, register_url_convertor

from services.api import conditions, paging
from services.api.conditions import IfMatch, IfNoneMatch
from services.api.dependencies import TicketingClient
from services.api.idempotency import IdempotencyKey
from services.api.routes import described
from services.api.strict_route import StrictRoute
from services.api.ticket_views import (
    Assignment,
    StatsQuery,
    Ticket,
    TicketCreate,
    TicketPage,
    TicketQuery,
    TicketStats,
    TicketUpdate,
)
from services.shared.problems import NotFound, PreconditionRequired, Stale, problems

router = APIRouter(prefix="/api/tickets", tags=["tickets"], route_class=StrictRoute)

TicketKey = Annotated[
    str, Path(pattern=r"^[A-Z][A-Z0-9]{1,9}-[1-9][0-9]{0,8}$", description="Such as `ACME-12`.", examples=["ACME-12"])
]


class _Key(StringConvertor):
    """Not the name of what else stands below ``/api/tickets``: its wrong methods would find this route."""

    regex = "(?!stats$)[^/]+"


_OF_IT = described.links(
    "key",
    "$response.body#/key",
    *("getTicket", "updateTicket", "assignTicket", "deleteTicket", "listTransitions", "transitionTicket"),
    *("listComments", "createComment", "getTicketHistory"),
)

register_url_convertor("ticket_key", _Key())


@router.get("", responses={200: paging.LINKED, **problems(NotFound)})
async def list_tickets(
    asked: Annotated[TicketQuery, Query()], ticketing: TicketingClient, request: Request, response: Response
) -> TicketPage:
    """Tickets the caller may see, the last changed first unless told otherwise."""
    page = await ticketing.search(asked)
    paging.link(request, response, page.next_cursor)
    return page


@router.get("/stats")
async def get_ticket_stats(asked: Annotated[StatsQuery, Query()], ticketing: TicketingClient) -> TicketStats:
    """How many tickets there are of each status, priority, type, assignee or team."""
    return await ticketing.stats(asked.group_by)


@router.post("", status_code=201, responses=described.linked(described.CREATED, 201, _OF_IT))
async def create_ticket(
    body: TicketCreate, ticketing: TicketingClient, response: Response, key: IdempotencyKey = None
) -> Ticket:
    """Open a ticket. The caller becomes its reporter."""
    ticket = await ticketing.create(body, key=key)
    response.headers["Location"] = f"{router.prefix}/{ticket.key}"
    response.headers["ETag"] = conditions.tag(ticket.version)
    return ticket


@router.get("/{key:ticket_key}", response_model=Ticket, responses=described.READ)
async def get_ticket(
    key: TicketKey, ticketing: TicketingClient, response: Response, known: IfNoneMatch = None
) -> Ticket | Response:
    """One ticket. Another organization's key is answered like one that does not exist."""
    ticket = await ticketing.get(key)
    return conditions.answer(response, ticket.version, known) or ticket


@router.patch("/{key:ticket_key}", responses=described.CHANGED)
async def update_ticket(
    key: TicketKey, body: TicketUpdate, ticketing: TicketingClient, match: IfMatch, response: Response
) -> Ticket:
    """Change what is said of a ticket. Its status changes by a transition."""
    ticket = await ticketing.update(key, body, expected_version=match.version)
    response.headers["ETag"] = conditions.tag(ticket.version)
    return ticket


@router.put("/{key}/assignee", responses=described.CHANGED)
async def assign_ticket(
    key: TicketKey, body: Assignment, ticketing: TicketingClient, match: IfMatch, response: Response
) -> Ticket:
    """Give a ticket to somebody who works on tickets, or take it from everybody."""
    ticket = await ticketing.assign(key, body, expected_version=match.version)
    response.headers["ETag"] = conditions.tag(ticket.version)
    return ticket


@router.delete("/{key:ticket_key}", status_code=204, responses=problems(NotFound, Stale, PreconditionRequired))
async def delete_ticket(key: TicketKey, ticketing: TicketingClient, match: IfMatch) -> None:
    """Delete a ticket with its comments and history, for good. Only for admins and owners."""
    await ticketing.delete(key, expected_version=match.version)
