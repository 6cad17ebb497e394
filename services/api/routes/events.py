"""What changes, as it happens."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query

from services.api.dependencies import EventFollower
from services.api.events.feed import NoSuchEvent
from services.api.events.stream import EventStream
from services.api.events.views import Event, EventQuery
from services.api.strict_route import StrictRoute
from services.shared.problems import problems

router = APIRouter(prefix="/api", tags=["events"], route_class=StrictRoute)

_STREAM: dict[int | str, dict[str, Any]] = {200: {"model": Event, "description": "Events, the oldest first."}}


@router.get("/events", response_class=EventStream, responses={**_STREAM, **problems(NoSuchEvent)})
async def stream_events(
    follower: EventFollower,
    asked: Annotated[EventQuery, Query()],
) -> EventStream:
    """Tell what is done to tickets, members and teams, whoever does it and by whatever way: each change once.

    Server-sent events with CloudEvents 1.0 as data. The stream ends when the token expires: come back with a new one
    and the `Last-Event-ID`, and nothing is missed.
    """
    return EventStream(await (follower.future() if asked.follow else follower.past()))
