"""Events as they are told: CloudEvents 1.0 in their JSON format, about what the services call changes."""

from __future__ import annotations

from typing import Annotated, Any, Generic, Literal, TypeAlias, TypeVar

from pydantic import AwareDatetime, Field
from typing_extensions import TypeAliasType

from services.api import trace
from services.api.parameters import Flag
from services.api.people_views import Role
from services.api.ticket_views import Visibility
from services.api.views import In, Out, Version

PREFIX, SUFFIX = "org.example.", ".v1"
"""What stands around the name of a change in the type of an event: whose it is, and of which form its data is."""

_TicketChanged = Literal["created", "updated", "transitioned", "assigned", "commented", "deleted"]
_MemberChanged = Literal["member.invited", "member.joined", "member.role_changed", "member.deactivated"]
_TeamChanged = Literal["team.created", "team.member_added", "team.member_removed"]


class EventQuery(In):
    """How long the stream is."""

    follow: Flag = Field(
        default=True, description="false: what has come after Last-Event-ID by now, and then the end of the stream."
    )


class Done(Out):
    """Who did something, and by what."""

    actor_id: str = Field(description="The person.")
    client_id: str | None = Field(description="The application they used.")
    acting_id: str | None = Field(description="The service that spoke for them, if one did.")
    trace_id: str | None = Field(description="The trace it belongs to (W3C Trace Context).")


class FieldChange(Out):
    """One field, as it was and as it became."""

    field: str
    before: str | list[str] | None = Field(description="null, too, for what people wrote: title, description, …")
    after: str | list[str] | None


class TicketChange(Done):
    """What became of a ticket."""

    key: str
    ticket_id: str
    version: Version
    visibility: Visibility | None = Field(description="For whom the comment is that came with it.")
    changes: list[FieldChange]


class PeopleChange(Done):
    """What became of a member or a team."""

    member_id: str | None = Field(description="The member; of a team, who came or went.")
    team_id: str | None
    role: Role | None = Field(description="The member's from then on.")
    version: Version = Field(description="The team's or else the member's with it.")


class CloudEvent(Out):
    """What every event has (CloudEvents 1.0, Required Attributes)."""

    specversion: Literal["1.0"] = "1.0"
    id: str
    time: AwareDatetime
    subject: str
    datacontenttype: Literal["application/json"] = "application/json"
    traceparent: str | None = Field(description="Of the request that did it (CloudEvents, Distributed Tracing).")


class TicketEvent(CloudEvent):
    """Something was done to a ticket; `subject` is its key."""

    source: Literal["/ticketing"] = "/ticketing"
    type: Literal[
        "org.example.ticket.created.v1",
        "org.example.ticket.updated.v1",
        "org.example.ticket.transitioned.v1",
        "org.example.ticket.assigned.v1",
        "org.example.ticket.commented.v1",
        "org.example.ticket.deleted.v1",
    ]
    data: TicketChange


class PeopleEvent(CloudEvent):
    """Something was done to a member or a team; `subject` is its id."""

    source: Literal["/organizations"] = "/organizations"
    type: Literal[
        "org.example.member.invited.v1",
        "org.example.member.joined.v1",
        "org.example.member.role_changed.v1",
        "org.example.member.deactivated.v1",
        "org.example.team.created.v1",
        "org.example.team.member_added.v1",
        "org.example.team.member_removed.v1",
    ]
    data: PeopleChange


Event = TypeAliasType("Event", Annotated[TicketEvent | PeopleEvent, Field(discriminator="source")])


class _Placed(Done):
    position: int
    id: str
    at: AwareDatetime

    def told(self, kind: str, subject: str, data: type[Done]) -> dict[str, Any]:
        """The attributes of the event it is, with what ``data`` has of it."""
        return {
            "id": self.id,
            "time": self.at,
            "subject": subject,
            "type": f"{PREFIX}{kind}{SUFFIX}",
            "data": data.model_construct(**{name: getattr(self, name) for name in data.model_fields}),
            # What it is in its trace: a step of its own, the same each time it is told.
            "traceparent": self.trace_id and trace.step(self.trace_id, self.id),
        }


class TicketFeedItem(TicketChange, _Placed):
    """A change as ticketing tells of it."""

    type: _TicketChanged

    def event(self) -> TicketEvent:
        """The event it is."""
        return TicketEvent.model_validate(self.told(f"ticket.{self.type}", self.key, TicketChange))


class PeopleFeedItem(PeopleChange, _Placed):
    """A change as organizations tells of it."""

    type: _MemberChanged | _TeamChanged

    def event(self) -> PeopleEvent:
        """The event it is."""
        return PeopleEvent.model_validate(self.told(self.type, self.team_id or self.member_id or "", PeopleChange))


Item = TypeVar("Item", TicketFeedItem, PeopleFeedItem)


class FeedPage(Out, Generic[Item]):
    """A part of a service's feed."""

    items: list[Item]
    position: int
    mark: str
    more: bool


TicketFeedPage: TypeAlias = FeedPage[TicketFeedItem]
PeopleFeedPage: TypeAlias = FeedPage[PeopleFeedItem]
