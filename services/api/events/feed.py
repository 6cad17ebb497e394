"""The feed of changes of one MCP server, as one caller gets to see it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from services.api.events.views import PeopleEvent, PeopleFeedPage, TicketEvent, TicketFeedPage
from services.api.mcp_server import McpServer
from services.shared.problems import Conflict, Flaw

AT_ONCE = 100
WAIT_S = 20
"""Seconds that a service may keep a request until something happens."""


class NoSuchEvent(Conflict):
    """The event after which somebody wants to go on has not happened here."""

    says = "Last-Event-ID names an event of another life of the system, or of another organization."

    @classmethod
    def of(cls, service: str) -> NoSuchEvent:
        """The refusal, with the service whose feed does not have that place."""
        return cls(
            f"{cls.says} Read everything again, then begin without Last-Event-ID.",
            errors=[Flaw(pointer="header.Last-Event-ID", detail=f"This is no place in the events of {service} now.")],
        )


@dataclass(frozen=True, slots=True)
class Place:
    """How far somebody has read a feed. ``mark`` is what the service calls this position; the beginning needs none."""

    position: int
    mark: str | None = None

    def __str__(self) -> str:
        return f"{self.position}" if self.mark is None else f"{self.position}-{self.mark}"


@dataclass(frozen=True, slots=True)
class Told:
    """An event ready to be sent, and where in the feed it stands."""

    place: Place
    lines: bytes
    """``event:`` and ``data:`` of a server-sent event (HTML, Server-sent events)."""

    @classmethod
    def of(cls, position: int, event: TicketEvent | PeopleEvent) -> Told:
        """The event as it is sent, to however many."""
        place = Place(position, event.id.partition("_")[2])
        return cls(place, f"event: {event.type}\ndata: {event.model_dump_json(by_alias=True)}\n".encode())


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a feed, the oldest event first."""

    events: Sequence[Told]
    place: Place
    """Where the next part begins."""
    more: bool


@dataclass(frozen=True, slots=True)
class Feed:
    """``scope`` is what a token needs for it."""

    scope: str
    server: McpServer
    patient: McpServer
    """The same, for calls that wait."""
    page: type[TicketFeedPage] | type[PeopleFeedPage]

    @property
    def name(self) -> str:
        """Whose it is."""
        return self.server.name

    async def after(self, place: Place | None, *, wait: bool = False) -> Part:
        """What came after a place; None is where the feed ends now. With ``wait``, if need be, what comes next.

        Raises:
            NoSuchEvent: the place is one in the feed of another system, or of another organization.
            ProblemError: the server refused, or cannot be reached.
        """
        server = self.patient if wait else self.server
        # A call that is let through on trial, after others have failed, keeps everybody else waiting.
        seconds = WAIT_S if wait and not server.doubtful else 0
        arguments: dict[str, int | str] = {"limit": AT_ONCE, "wait_seconds": seconds}
        if place is not None:
            arguments |= {"after": place.position} | ({} if place.mark is None else {"mark": place.mark})
        try:
            page: TicketFeedPage | PeopleFeedPage = await server.read("list_changes", arguments, self.page)
        except Conflict as conflict:  # it speaks of the arguments of a tool, which nobody has sent here
            raise NoSuchEvent.of(self.name) from conflict
        told = [Told.of(each.position, each.event()) for each in page.items]
        return Part(told, Place(page.position, page.mark), page.more)
