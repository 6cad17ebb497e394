"""Tickets and all about them on the wire."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from pydantic import AwareDatetime, ConfigDict, Field, StringConstraints, model_validator
from typing_extensions import TypeAliasType

from services.api.parameters import NO_NUL, NOT_BLANK, Label, Moment, Omittable, Reference, Search
from services.api.views import In, NextCursor, Out, PageQuery, Total, Version
from services.shared.lines import ONE_LINE


class TicketType(StrEnum):
    """What kind of work a ticket asks for."""

    incident = "incident"
    request = "request"
    question = "question"
    problem = "problem"
    task = "task"


class TicketStatus(StrEnum):
    """Where a ticket stands in the workflow."""

    open = "open"
    in_progress = "in_progress"
    pending = "pending"
    resolved = "resolved"
    closed = "closed"
    cancelled = "cancelled"


class StatusCategory(StrEnum):
    """What a status means for a board with three columns."""

    todo = "todo"
    in_progress = "in_progress"
    done = "done"


class TicketPriority(StrEnum):
    """How soon a ticket is needed."""

    low = "low"
    normal = "normal"
    high = "high"
    urgent = "urgent"


class SlaState(StrEnum):
    """Whether what was promised holds."""

    met = "met"
    ok = "ok"
    at_risk = "at_risk"
    breached = "breached"


class Visibility(StrEnum):
    """For whom a comment is: `internal` ones are never shown to requesters."""

    public = "public"
    internal = "internal"


class TicketSort(StrEnum):
    """What comes first; `-` turns it round."""

    updated_last = "-updatedAt"
    updated_first = "updatedAt"
    created_last = "-createdAt"
    created_first = "createdAt"
    most_urgent = "-priority"
    least_urgent = "priority"
    key_last = "-key"
    key_first = "key"


class Grouping(StrEnum):
    """What tickets that are counted together have in common."""

    status = "status"
    priority = "priority"
    type = "type"
    assignee = "assignee"
    team = "team"


class Sla(Out):
    """How soon a ticket must be answered and settled, and whether that holds."""

    policy: TicketPriority
    state: SlaState
    first_response_due_at: AwareDatetime
    resolution_due_at: AwareDatetime | None = Field(description="null while the ticket is pending: time stands still.")
    paused_seconds: int = Field(ge=0)
    paused_since: AwareDatetime | None


class Ticket(Out):
    """A ticket as it stands now."""

    id: str
    key: str
    title: str
    description: str = Field(description="In lists it is cut to 300 characters, and then ends with ….")
    type: TicketType
    status: TicketStatus
    status_category: StatusCategory
    priority: TicketPriority
    resolution: str | None = Field(description="How it was settled, once it is resolved.")
    reporter_id: str
    assignee_id: str | None
    team_id: str | None
    labels: list[str]
    sla: Sla
    version: Version
    created_at: AwareDatetime
    updated_at: AwareDatetime
    resolved_at: AwareDatetime | None


class TicketPage(Out):
    """Tickets in the order that was asked for."""

    items: list[Ticket]
    next_cursor: NextCursor
    total: Total


class Transition(Out):
    """A status a ticket can be moved to in one step."""

    to: TicketStatus
    requires: list[Literal["resolution"]] = Field(description="What must be told to get there.")


class TransitionList(Out):
    """What the caller may make of a ticket now."""

    key: str
    status: TicketStatus
    version: Version
    transitions: list[Transition]


class Comment(Out):
    """What somebody said about a ticket."""

    id: str
    author_id: str
    body: str
    visibility: Visibility
    created_at: AwareDatetime


class NewComment(Comment):
    """A comment that was just made, and the version its ticket has with it."""

    key: str
    version: Version


class CommentPage(Out):
    """Comments, the oldest first."""

    items: list[Comment]
    next_cursor: NextCursor
    total: Total


class Actor(Out):
    """Who did something, and by what."""

    sub: str = Field(description="The person.")
    act: str | None = Field(description="The service that spoke for them, if one did.")
    client_id: str | None = Field(description="The application they used.")


class Change(Out):
    """One field, as it was and as it became."""

    field: str
    before: str | list[str] | None = Field(alias="from")
    after: str | list[str] | None = Field(alias="to")


class HistoryEntry(Out):
    """Something that became of a ticket."""

    seq: int = Field(ge=1, description="Counts from 1; the version the ticket had afterwards.")
    at: AwareDatetime
    actor: Actor
    type: Literal["created", "updated", "transitioned", "assigned", "commented"]
    changes: list[Change]
    comment: Visibility | None = Field(description="For whom the comment is that came with it.")
    trace_id: str | None


class HistoryPage(Out):
    """The history of a ticket, the oldest entry first."""

    items: list[HistoryEntry]
    next_cursor: NextCursor
    total: Total


class StatsGroup(Out):
    """How many tickets have one value in common."""

    value: str | None = Field(description="null: nobody's, or no team's.")
    count: int = Field(ge=0)


class TicketStats(Out):
    """The tickets the caller may see, counted."""

    group_by: Grouping
    total: Total
    groups: list[StatsGroup] = Field(description="The largest first.")


_Title = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=ONE_LINE)]
_Description = Annotated[str, StringConstraints(max_length=10_000, pattern=NO_NUL)]
_Labels = Annotated[list[Label], Field(max_length=20)]
_Said = Annotated[str, StringConstraints(min_length=1, max_length=10_000, pattern=NOT_BLANK)]


def _left_out() -> Any:
    """What an optional member of a body is when it is left out; null is not the same, and is refused."""
    return None


class TicketCreate(In):
    """A new ticket. The caller becomes its reporter."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"title": "The lift is stuck", "type": "incident"}]})

    title: _Title
    description: _Description = ""
    type: TicketType = TicketType.request
    priority: TicketPriority = TicketPriority.normal
    labels: _Labels = Field(default=[])
    team_id: Reference | None = None
    assignee_id: Reference | None = Field(default=None, description="An active agent, admin or owner.")


class TicketUpdate(In):
    """What is to be different; what is left out stays as it is."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1, "examples": [{"priority": "high"}]})

    title: _Title = Field(default_factory=_left_out)
    description: _Description = Field(default_factory=_left_out)
    type: TicketType = Field(default_factory=_left_out)
    priority: TicketPriority = Field(default_factory=_left_out)
    labels: _Labels = Field(default_factory=_left_out)

    @model_validator(mode="after")
    def _not_empty(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("nothing is to be different")
        return self


class Assignment(In):
    """Who works on a ticket from now on."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"assigneeId": "usr_1"}]})

    assignee_id: Reference | None = Field(description="An active agent, admin or owner; null takes it from everybody.")


class Resolving(In):
    """A ticket is settled."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"to": "resolved", "resolution": "Oiled it."}]})

    to: Literal["resolved"]
    resolution: Annotated[str, StringConstraints(min_length=1, max_length=2_000, pattern=NOT_BLANK)] = Field(
        description="How it was settled."
    )
    comment: _Said = Field(default_factory=_left_out, description="A public comment that goes with it.")


class Moving(In):
    """A ticket moves to another status."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"to": "in_progress"}]})

    to: Literal["open", "in_progress", "pending", "closed", "cancelled"]
    comment: _Said = Field(default_factory=_left_out, description="A public comment that goes with it.")


TransitionCreate = TypeAliasType("TransitionCreate", Annotated[Resolving | Moving, Field(discriminator="to")])


class CommentCreate(In):
    """Something to say about a ticket. It cannot be changed or taken back."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"body": "It is loud."}]})

    body: _Said
    visibility: Visibility = Visibility.public


class TicketQuery(PageQuery):
    """Which tickets, and how many at once."""

    query: Annotated[Search | None, Omittable()] = Field(
        default=None, description="Text to look for in key, title, description and labels."
    )
    status: Annotated[list[TicketStatus], Field(max_length=6)] = Field(
        default_factory=list, description="Any of these."
    )
    priority: Annotated[list[TicketPriority], Field(max_length=4)] = Field(
        default_factory=list, description="Any of these."
    )
    type: Annotated[TicketType | None, Omittable()] = None
    assignee: Annotated[Reference | None, Omittable()] = Field(
        default=None, description="The id of who works on it, `me`, or `none`."
    )
    reporter: Annotated[Reference | None, Omittable()] = Field(
        default=None, description="The id of who opened it, or `me`."
    )
    labels: Annotated[list[Label], Field(max_length=20)] = Field(
        default_factory=list, description="All of these, in any case."
    )
    team_id: Annotated[Reference | None, Omittable()] = None
    updated_since: Annotated[Moment | None, Omittable()] = Field(
        default=None, description="Changed at or after this moment (RFC 3339, with an offset)."
    )
    sort: TicketSort = TicketSort.updated_last


class StatsQuery(In):
    """How to count."""

    group_by: Grouping
