"""What tools, resources and prompts answer with."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Self

from pydantic import AfterValidator, AwareDatetime, Field
from pydantic.alias_generators import to_camel

from services.shared.mcp.view import NextCursor, Total, View
from services.ticketing import history, sla, workflow
from services.ticketing.history import EntryType, Value, Visibility
from services.ticketing.tables import Comment, HistoryEntry, Ticket
from services.ticketing.wanted import Grouping
from services.ticketing.workflow import Transition

LISTED = 300
"""As many characters of a description are shown where there may be a hundred."""


def _beginning(description: str) -> str:
    return description if len(description) <= LISTED else f"{description[: LISTED - 1]}…"


class SlaView(View):
    """How soon a ticket must be answered and settled, and whether that holds."""

    policy: Annotated[workflow.Priority, Field(description="The policy is that of the priority.")]
    state: Annotated[sla.State, Field(description="The worse of first answer and resolution, as of now.")]
    first_response_due_at: AwareDatetime
    resolution_due_at: Annotated[
        AwareDatetime | None, Field(description="null while the ticket is pending: the time stands still.")
    ]
    paused_seconds: Annotated[int, Field(description="How long it stood still before it went on, in all.")]
    paused_since: AwareDatetime | None

    @classmethod
    def of(cls, ticket: Ticket, *, at: datetime) -> SlaView:
        """As it is at a moment."""
        standing = sla.standing(ticket.clock, ticket.priority, at=at)
        return cls(
            policy=ticket.priority,
            state=standing.state,
            first_response_due_at=standing.first_response_due_at,
            resolution_due_at=standing.resolution_due_at,
            paused_seconds=int(ticket.clock.waited.total_seconds()),
            paused_since=ticket.clock.waiting_since,
        )


class TicketView(View):
    """A ticket as it stands now."""

    id: str
    key: Annotated[str, Field(description="What people call it: ACME-12.")]
    title: str
    description: str
    type: workflow.TicketType
    status: workflow.Status
    status_category: workflow.StatusCategory
    priority: workflow.Priority
    resolution: Annotated[str | None, Field(description="How it was settled, once it is resolved.")]
    reporter_id: Annotated[str, Field(description="The person who opened it; list_members tells the name.")]
    assignee_id: Annotated[str | None, Field(description="The person who works on it, if somebody does.")]
    team_id: str | None
    labels: list[str]
    sla: SlaView
    version: Annotated[int, Field(description="Grows by one with every change and comment.")]
    created_at: AwareDatetime
    updated_at: AwareDatetime
    resolved_at: AwareDatetime | None

    @classmethod
    def of(cls, ticket: Ticket, *, at: datetime) -> Self:
        """The ticket as it is shown at a moment."""
        return cls.model_validate(_shown(ticket, at=at))


class ListedTicketView(TicketView):
    """A ticket among others, as it stands now."""

    description: Annotated[
        str,
        AfterValidator(_beginning),
        Field(description=f"Cut after {LISTED} characters, and then it ends with …; get_ticket has all of it."),
    ]


class CommentView(View):
    """What somebody said about a ticket."""

    id: str
    author_id: str
    body: str
    visibility: Visibility
    created_at: AwareDatetime

    @classmethod
    def of(cls, comment: Comment) -> CommentView:
        """The comment as it is shown."""
        return cls(
            id=comment.id,
            author_id=comment.author_id,
            body=comment.body,
            visibility=comment.visibility,
            created_at=comment.created_at,
        )


class CommentedView(CommentView):
    """A new comment, and the version its ticket has with it."""

    key: str
    version: int

    @classmethod
    def after(cls, comment: CommentView, *, key: str, version: int) -> CommentedView:
        """The comment as it is shown to its author."""
        return cls.model_validate({**dict(comment), "key": key, "version": version})


class ActorView(View):
    """Who did something, and by what."""

    sub: Annotated[str, Field(description="The person.")]
    act: Annotated[str | None, Field(description="The service that spoke for them, if one did.")]
    client_id: Annotated[str | None, Field(description="The application they used.")]


class ChangeView(View):
    """One field, as it was and as it became."""

    field: str
    before: Annotated[Value, Field(alias="from")]
    after: Annotated[Value, Field(alias="to")]

    @classmethod
    def of(cls, change: history.Change) -> ChangeView:
        """The change as it is shown."""
        return cls(field=to_camel(change.field), before=change.before, after=change.after)


class EntryView(View):
    """One entry of a ticket's history."""

    seq: Annotated[int, Field(description="Counts from 1; the version the ticket had afterwards.")]
    at: AwareDatetime
    actor: ActorView
    type: EntryType
    changes: list[ChangeView]
    comment: Annotated[Visibility | None, Field(description="For whom the comment is that came with it.")]
    trace_id: str | None

    @classmethod
    def of(cls, row: HistoryEntry) -> EntryView:
        """The entry as it is shown."""
        return cls(
            seq=row.seq,
            at=row.at,
            actor=ActorView(sub=row.actor_id, act=row.acting, client_id=row.client_id or None),
            type=row.type,
            changes=[ChangeView.of(history.Change(**change)) for change in row.changes],
            comment=row.comment,
            trace_id=row.trace_id,
        )


class TicketDetailView(TicketView):
    """A ticket, with the latest of what was said and done if that was asked for."""

    comments: Annotated[
        list[CommentView] | None, Field(description="null unless included. The last 50; list_comments has all.")
    ]
    history: Annotated[
        list[EntryView] | None, Field(description="null unless included. The last 50; get_ticket_history has all.")
    ]

    @classmethod
    def including(
        cls, ticket: Ticket, *, at: datetime, comments: list[CommentView] | None, history: list[EntryView] | None
    ) -> TicketDetailView:
        """The ticket as it is shown at a moment, and what belongs to it."""
        return cls.model_validate({**_shown(ticket, at=at), "comments": comments, "history": history})


class TicketPageView(View):
    """A page of tickets in the order asked for."""

    items: list[ListedTicketView]
    next_cursor: NextCursor
    total: Total


class TicketListView(View):
    """Tickets, all at once."""

    items: list[ListedTicketView]


class CommentPageView(View):
    """A page of comments, the oldest first."""

    items: list[CommentView]
    next_cursor: NextCursor
    total: Total


class HistoryPageView(View):
    """A page of a ticket's history, the oldest entry first."""

    items: list[EntryView]
    next_cursor: NextCursor
    total: Total


class TransitionView(View):
    """A status a ticket can be moved to in one step."""

    to: workflow.Status
    requires: Annotated[list[workflow.Requirement], Field(description="Arguments transition_ticket then needs.")]

    @classmethod
    def of(cls, way: Transition) -> TransitionView:
        """The transition as it is shown."""
        return cls(to=way.to, requires=list(way.requires))


class TransitionListView(View):
    """What the caller may make of a ticket now."""

    key: str
    status: workflow.Status
    version: int
    transitions: list[TransitionView]


class GroupView(View):
    """How many tickets have one value in common."""

    value: Annotated[str | None, Field(description="null: unassigned, or of no team.")]
    count: int


class StatsView(View):
    """The tickets the caller may see, counted."""

    group_by: Grouping
    total: int
    groups: Annotated[list[GroupView], Field(description="The largest first.")]


class DeletedView(View):
    """A ticket that is no more."""

    key: str
    deleted: bool


class StatusView(View):
    """A status a ticket may have, and what may become of it."""

    status: workflow.Status
    category: workflow.StatusCategory
    transitions: list[TransitionView]


class WorkflowView(View):
    """How tickets go from status to status."""

    first: workflow.Status
    statuses: list[StatusView]

    @classmethod
    def whole(cls) -> WorkflowView:
        """All of it."""
        statuses = [
            StatusView(
                status=status,
                category=workflow.category(status),
                transitions=[TransitionView.of(way) for way in workflow.transitions(status)],
            )
            for status in workflow.STATUSES
        ]
        return cls(first=workflow.FIRST_STATUS, statuses=statuses)


class PolicyView(View):
    """What is promised for tickets of one priority, around the clock."""

    priority: workflow.Priority
    first_response_seconds: int
    resolution_seconds: int


class PoliciesView(View):
    """How soon tickets are due."""

    policies: list[PolicyView]
    at_risk_from: Annotated[float, Field(description="The part of the time after which it is at risk.")]
    pauses_in: Annotated[workflow.Status, Field(description="While in it, the time to resolve stands still.")]

    @classmethod
    def whole(cls) -> PoliciesView:
        """All of them."""
        policies = [
            PolicyView(
                priority=priority,
                first_response_seconds=int(policy.first_response.total_seconds()),
                resolution_seconds=int(policy.resolution.total_seconds()),
            )
            for priority, policy in sla.POLICIES.items()
        ]
        return cls(policies=policies, at_risk_from=sla.AT_RISK_FROM, pauses_in="pending")


def _shown(ticket: Ticket, *, at: datetime) -> dict[str, object]:
    done_and_not_cancelled = ticket.status in ("resolved", "closed")
    return {
        "id": ticket.id,
        "key": ticket.key,
        "title": ticket.title,
        "description": ticket.description,
        "type": ticket.type,
        "status": ticket.status,
        "status_category": workflow.category(ticket.status),
        "priority": ticket.priority,
        "resolution": ticket.resolution,
        "reporter_id": ticket.reporter_id,
        "assignee_id": ticket.assignee_id,
        "team_id": ticket.team_id,
        "labels": ticket.labels,
        "sla": SlaView.of(ticket, at=at),
        "version": ticket.version,
        "created_at": ticket.created_at,
        "updated_at": ticket.updated_at,
        "resolved_at": ticket.ended_at if done_and_not_cancelled else None,
    }
