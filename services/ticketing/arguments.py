"""Arguments of the tools, and what each of them means."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated

from fastmcp.dependencies import Depends
from pydantic import AfterValidator, BeforeValidator, Field

from services.shared.lines import ONE_LINE
from services.shared.mcp.arguments import SearchText
from services.shared.mcp.tool import desk
from services.ticketing import labels
from services.ticketing.desk import TicketDesk
from services.ticketing.history import Visibility
from services.ticketing.reading import Included
from services.ticketing.wanted import Grouping, Instant, Sort
from services.ticketing.workflow import Priority, Status, TicketType

Desk = Annotated[TicketDesk, Depends(desk)]

_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", re.ASCII | re.IGNORECASE)


def _moment(text: object) -> object:
    # Pydantic would also take a number for seconds since 1970, and in strict mode no text that passed a validator.
    if not isinstance(text, str) or not _RFC3339.fullmatch(text):
        raise ValueError("not a date and time with an offset, as in RFC 3339")
    return datetime.fromisoformat(text.upper())


_Id = Annotated[str, Field(min_length=1, max_length=64)]

_AnyCase = Annotated[str, Field(min_length=1, max_length=64), AfterValidator(str.upper)]
Key = Annotated[_AnyCase, Field(description="The ticket's key, such as ACME-12, in any case.")]
Keys = Annotated[
    list[_AnyCase],
    Field(min_length=1, max_length=50, description="Keys of the tickets, such as ACME-12, in any case."),
]
Include = Annotated[
    list[Included] | None,
    Field(
        max_length=2,
        description=(
            "What to tell besides: the last 50 comments, the last 50 entries of the history. What came before is in "
            "list_comments and get_ticket_history."
        ),
    ),
]

Query = Annotated[SearchText | None, Field(description="Text to look for in key, title, description and labels.")]
Statuses = Annotated[
    Annotated[list[Status], Field(max_length=6)] | None,
    Field(description="Only tickets in one of these; empty means any."),
]
Priorities = Annotated[
    Annotated[list[Priority], Field(max_length=4)] | None,
    Field(description="Only tickets of one of these; empty means any."),
]
OnlyType = Annotated[TicketType | None, Field(description="Only tickets of this type.")]
OnlyAssignee = Annotated[
    _Id | None, Field(description='Only tickets this person works on: an id, "me", or "none" for unassigned ones.')
]
OnlyReporter = Annotated[_Id | None, Field(description='Only tickets this person opened: an id, or "me".')]
OnlyLabels = Annotated[
    Annotated[list[Annotated[str, Field(min_length=1, max_length=labels.LONGEST)]], Field(max_length=labels.MOST)]
    | None,
    Field(description="Only tickets with all of these, whatever the case."),
]
OnlyTeam = Annotated[_Id | None, Field(description="Only tickets of this team.")]
UpdatedSince = Annotated[
    Annotated[Instant, BeforeValidator(_moment)] | None,
    Field(description="Only tickets changed at or after this moment (RFC 3339, with an offset), since 1970."),
]
SortBy = Annotated[Sort, Field(description='What comes first; "-" turns it round. -priority: the most urgent.')]
GroupBy = Annotated[Grouping, Field(description="What the tickets of a group have in common.")]

Title = Annotated[
    str, Field(min_length=1, max_length=200, pattern=ONE_LINE, description="One line that says what it is about.")
]
Description = Annotated[str, Field(max_length=10_000, description="What happened, for whom, since when.")]
Label = Annotated[str, Field(min_length=1, max_length=labels.LONGEST)]
Labels = Annotated[list[Label], Field(default_factory=list, max_length=labels.MOST, description="Words to find it by.")]
TeamId = Annotated[_Id | None, Field(description="The team it is for; list_teams tells ids.")]
AssigneeId = Annotated[
    _Id | None, Field(description='Who shall work on it: the id of an agent, admin or owner, or "me".')
]
Assignee = Annotated[
    _Id | None, Field(description='The id of an agent, admin or owner, "me", or null to take it from everybody.')
]

Kind = Annotated[TicketType, Field(description="What kind of work it is.")]
Urgency = Annotated[Priority, Field(description="How soon it is needed; it decides when the ticket is due.")]

NewTitle = Annotated[Title | None, Field(description="The new title; left out, it stays.")]
NewDescription = Annotated[Description | None, Field(description="The new description; left out, it stays.")]
NewType = Annotated[TicketType | None, Field(description="The new type; left out, it stays.")]
NewPriority = Annotated[Priority | None, Field(description="The new priority; left out, it stays.")]
NewLabels = Annotated[
    Annotated[list[Label], Field(max_length=labels.MOST)] | None,
    Field(description="All labels from now on; left out, they stay."),
]

To = Annotated[Status, Field(description="The status to move it to; list_transitions tells which are possible.")]
Resolution = Annotated[
    Annotated[str, Field(min_length=1, max_length=2_000, pattern=r"\S")] | None,
    Field(description="How it was settled. Needed for resolved, refused for anything else."),
]
Body = Annotated[str, Field(min_length=1, max_length=10_000, pattern=r"\S", description="What to say, as plain text.")]
TransitionComment = Annotated[
    Annotated[str, Field(min_length=1, max_length=10_000, pattern=r"\S")] | None,
    Field(description="A public comment that goes with it."),
]
VisibleTo = Annotated[
    Visibility, Field(description="internal: only for those who work on tickets, never for requesters.")
]

_VERSION = Field(ge=1, le=2**31 - 1)
ReadVersion = Annotated[
    int, _VERSION, Field(description="The version that was read; if the ticket has another by now, nothing happens.")
]
ReadVersionIfAny = Annotated[
    Annotated[int, _VERSION] | None,
    Field(description="The version that was read: if the ticket has another by now, nothing happens."),
]
