"""What the REST interface takes and gives. Names are camelCase on the wire; times are RFC 3339."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints
from pydantic.alias_generators import to_camel

from services.api.parameters import NO_NUL, NOT_BLANK, Cursor, Label, Limit, Omittable, Search


class Out(BaseModel):
    """An answer. Lenient where it reads, exact where it writes: every field is always sent."""

    model_config = ConfigDict(
        alias_generator=to_camel, populate_by_name=True, frozen=True, json_schema_serialization_defaults_required=True
    )


class In(BaseModel):
    """A body or a set of query parameters. A name nobody knows is an error, not a surprise later."""

    model_config = ConfigDict(alias_generator=to_camel, frozen=True, extra="forbid")


class Role(StrEnum):
    """What a member may do in the organization."""

    owner = "owner"
    admin = "admin"
    agent = "agent"
    requester = "requester"
    viewer = "viewer"


class MemberStatus(StrEnum):
    """Whether somebody belongs to the organization now. Only who is active can sign in and be given work."""

    active = "active"
    invited = "invited"
    inactive = "inactive"


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


class Organization(Out):
    """The tenant the caller belongs to."""

    id: str
    slug: str
    display_name: str
    ticket_prefix: str


class Member(Out):
    """Somebody in the caller's organization."""

    id: str
    username: str
    display_name: str
    email: str
    role: Role
    status: MemberStatus


class Me(Member):
    """The caller."""

    organization: Organization


class MemberPage(Out):
    """Members in a stable order."""

    items: list[Member]
    next_cursor: str | None = Field(description="Give it back as `cursor` for the next page; null on the last one.")
    total: int = Field(ge=0)


class Ticket(Out):
    """A ticket as it stands now."""

    id: str
    key: str
    title: str
    description: str
    type: TicketType
    status: TicketStatus
    status_category: StatusCategory
    priority: TicketPriority
    reporter_id: str
    assignee_id: str | None
    labels: list[str]
    version: int = Field(ge=1)
    created_at: AwareDatetime
    updated_at: AwareDatetime


class TicketPage(Out):
    """Tickets, the last changed first."""

    items: list[Ticket]
    next_cursor: str | None = Field(description="Give it back as `cursor` for the next page; null on the last one.")
    total: int = Field(ge=0)


class TicketCreate(In):
    """A new ticket. The caller becomes its reporter."""

    title: Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=NOT_BLANK)]
    description: Annotated[str, StringConstraints(max_length=10_000, pattern=NO_NUL)] = ""
    type: TicketType = TicketType.request
    priority: TicketPriority = TicketPriority.normal
    labels: Annotated[list[Label], Field(max_length=20)] = []


class PageQuery(In):
    """How many at once, and where to go on."""

    limit: Limit = 20
    cursor: Annotated[Cursor | None, Omittable()] = Field(default=None, description="`nextCursor` of the page before.")


class TicketQuery(PageQuery):
    """Which tickets, and how many at once."""

    query: Annotated[Search | None, Omittable()] = Field(
        default=None, description="Text to look for in key, title, description and labels."
    )
    status: Annotated[list[TicketStatus], Field(max_length=6)] = Field(default=[], description="Any of these.")


class MemberQuery(PageQuery):
    """Which members, and how many at once."""

    query: Annotated[Search | None, Omittable()] = Field(
        default=None, description="Text to look for in name, username and email."
    )
