"""What becomes of a ticket: transitions, comments, history."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from services.api import conditions, paging
from services.api.conditions import IfMatch
from services.api.dependencies import TicketingClient
from services.api.idempotency import IdempotencyKey
from services.api.routes import described
from services.api.routes.tickets import TicketKey
from services.api.strict_route import StrictRoute
from services.api.ticket_views import (
    CommentCreate,
    CommentPage,
    HistoryPage,
    NewComment,
    Ticket,
    TransitionCreate,
    TransitionList,
)
from services.api.views import PageQuery
from services.shared.problems import Conflict, NotFound, Stale, problems

router = APIRouter(prefix="/api/tickets/{key}", tags=["tickets"], route_class=StrictRoute)


@router.get("/transitions", responses=problems(NotFound))
async def list_transitions(key: TicketKey, ticketing: TicketingClient) -> TransitionList:
    """The statuses the caller can move a ticket to now."""
    return await ticketing.transitions(key)


@router.post("/transitions", responses={**described.VERSIONED, **described.BODY, **problems(NotFound, Conflict, Stale)})
async def transition_ticket(
    key: TicketKey,
    body: TransitionCreate,
    ticketing: TicketingClient,
    response: Response,
    match: IfMatch,
) -> Ticket:
    """Move a ticket to another status. What is not possible from the present one is a conflict."""
    ticket = await ticketing.transition(key, body, expected_version=match.version_if_any)
    response.headers["ETag"] = conditions.tag(ticket.version)
    return ticket


@router.get("/comments", responses={200: paging.LINKED, **problems(NotFound)})
async def list_comments(
    key: TicketKey,
    asked: Annotated[PageQuery, Query()],
    ticketing: TicketingClient,
    request: Request,
    response: Response,
) -> CommentPage:
    """What was said about a ticket, the oldest first. Requesters are not shown internal comments."""
    page = await ticketing.comments(key, asked)
    paging.link(request, response, page.next_cursor)
    return page


@router.post("/comments", status_code=201, responses={**described.CREATED, **problems(NotFound)})
async def create_comment(
    key: TicketKey,
    body: CommentCreate,
    ticketing: TicketingClient,
    response: Response,
    idempotency_key: IdempotencyKey = None,
) -> NewComment:
    """Say something about a ticket in the caller's name. The entity tag is the ticket's, with the comment."""
    comment = await ticketing.comment(key, body, key=idempotency_key)
    response.headers["Location"] = f"/api/tickets/{key}/comments#{comment.id}"
    response.headers["ETag"] = conditions.tag(comment.version)
    return comment


@router.get("/history", responses={200: paging.LINKED, **problems(NotFound)})
async def get_ticket_history(
    key: TicketKey,
    asked: Annotated[PageQuery, Query()],
    ticketing: TicketingClient,
    request: Request,
    response: Response,
) -> HistoryPage:
    """Who changed what of a ticket and when, the oldest entry first."""
    page = await ticketing.history(key, asked)
    paging.link(request, response, page.next_cursor)
    return page
