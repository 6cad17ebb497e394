"""What a ticket may be: its kinds, its statuses, and the column of a board each status stands in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

TicketType = Literal["incident", "request", "question", "problem", "task"]
Priority = Literal["low", "normal", "high", "urgent"]
Status = Literal["open", "in_progress", "pending", "resolved", "closed", "cancelled"]
StatusCategory = Literal["todo", "in_progress", "done"]

FIRST_STATUS: Status = "open"

_CATEGORIES: Mapping[Status, StatusCategory] = {
    "open": "todo",
    "in_progress": "in_progress",
    "pending": "in_progress",
    "resolved": "done",
    "closed": "done",
    "cancelled": "done",
}


def category(status: Status) -> StatusCategory:
    """Is it still to be done, being done (waiting included), or done with?"""
    return _CATEGORIES[status]
