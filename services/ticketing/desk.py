"""What people can have done with tickets. One call is one transaction, on behalf of one caller."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy.orm import Session

from services.shared.idempotency import once
from services.shared.permissions import Permission
from services.shared.problems import Conflict, Flaw
from services.shared.world import seeded_id
from services.ticketing import bulk, history, labels, roles, workflow
from services.ticketing.history import Actor, Change, Entry, EntryType, Field, Value, Visibility
from services.ticketing.reading import TicketReader
from services.ticketing.repository import TicketRepository
from services.ticketing.roster import Roster
from services.ticketing.tables import Answered, Comment, Deletion, Ticket
from services.ticketing.views import (
    CommentedView,
    CommentView,
    DeletedView,
    ListedTicketView,
    TicketListView,
    TicketView,
)
from services.ticketing.workflow import FIRST_STATUS, Priority, Status, TicketType


@dataclass(frozen=True, slots=True)
class Draft:
    """What is said of a ticket that is to be."""

    title: str
    description: str
    type: TicketType
    priority: Priority
    labels: tuple[str, ...]
    team_id: str | None = None
    assignee_id: str | None = None


@dataclass(frozen=True, slots=True)
class Work:
    """What a write works with, in its transaction."""

    session: Session
    tickets: TicketRepository
    roster: Roster


@dataclass(frozen=True, slots=True)
class TicketDesk(TicketReader):
    """The use cases, for one caller. ``now`` is the only clock there is.

    All of them raise Forbidden where scope or role do not allow it, and NotFound for a ticket out of their sight. A
    refused call leaves everything as it was.
    """

    def create(self, draft: Draft, *, idempotency_key: str | None = None) -> TicketView:
        """Open a ticket; the caller is its reporter.

        Raises:
            Invalid: there is no such team or assignee, or the idempotency key was used for something else.
        """
        if draft.assignee_id is not None:
            self.caller.require(roles.ASSIGN)

        def act() -> dict[str, Any]:
            if draft.assignee_id is not None:
                work.roster.require_worker(draft.assignee_id, argument="assignee_id")
            if draft.team_id is not None:
                work.roster.require_team(draft.team_id, argument="team_id")
            return _json(self.told(work.tickets.opened(self._first(draft))))

        with self._writing(roles.CREATE) as work:
            answer = self._once(work, "create_ticket", idempotency_key, asdict(draft), act)
        return TicketView.model_validate(answer)

    def update(self, key: str, wanted: Mapping[Field, Value], *, expected_version: int) -> TicketView:
        """Change what is said of a ticket. What is so already is no change.

        Raises:
            Conflict: the ticket was changed meanwhile, or is done and would get another priority.
        """
        with self._writing(roles.WORK) as work:
            ticket = work.tickets.get(key)
            _require_version(ticket, expected_version)
            if changes := history.changed(_fields(ticket), _tidy(wanted)):
                _require_fixed_policy(ticket, changes)
                work.tickets.record(ticket, self._entry(ticket, "updated", changes))
        return self.told(ticket)

    def assign(self, key: str, assignee_id: str | None, *, expected_version: int | None = None) -> TicketView:
        """Give a ticket to somebody, or to nobody. Whoever has it already keeps it.

        Raises:
            Conflict: the ticket was changed meanwhile.
            Invalid: the assignee is nobody here who works on tickets.
        """
        with self._writing(roles.ASSIGN) as work:
            ticket = work.tickets.get(key)
            _require_version(ticket, expected_version)
            if changes := history.changed(_fields(ticket), {"assignee_id": assignee_id}):
                if assignee_id is not None:
                    work.roster.require_worker(assignee_id, argument="assignee")
                work.tickets.record(ticket, self._entry(ticket, "assigned", changes))
        return self.told(ticket)

    def transition(
        self,
        key: str,
        to: Status,
        *,
        resolution: str | None = None,
        comment: str | None = None,
        expected_version: int | None = None,
    ) -> TicketView:
        """Move a ticket to another status, with a public comment if one is given.

        Raises:
            Conflict: the ticket was changed meanwhile, or that way does not exist.
            Invalid: a resolution is missing, or out of place.
        """
        with self._writing(roles.MOVE) as work:
            ticket = work.tickets.get(key)
            _require_version(ticket, expected_version)
            changes = self._moving(ticket, to, resolution)
            entry = self._entry(ticket, "transitioned", changes, comment=None if comment is None else "public")
            work.tickets.record(ticket, entry)
            if comment is not None:
                work.tickets.say(self._comment(ticket, entry, comment, "public"))
        return self.told(ticket)

    def comment(
        self, key: str, body: str, visibility: Visibility = "public", *, idempotency_key: str | None = None
    ) -> CommentedView:
        """Say something about a ticket.

        Raises:
            Invalid: the idempotency key was used for something else.
        """
        payload = {"key": key, "body": body, "visibility": visibility}

        def act() -> dict[str, Any]:
            entry = self._entry(ticket, "commented", comment=visibility)
            work.tickets.record(ticket, entry)
            said = self._comment(ticket, entry, body, visibility)
            work.tickets.say(said)
            return _json(CommentedView.after(CommentView.of(said), key=ticket.key, version=ticket.version))

        with self._writing(roles.COMMENT if visibility == "public" else roles.COMMENT_INTERNALLY) as work:
            ticket = work.tickets.get(key)
            answer = self._once(work, "add_comment", idempotency_key, payload, act)
        return CommentedView.model_validate(answer)

    def bulk_transition(self, keys: Sequence[str], to: Status, *, resolution: str | None = None) -> TicketListView:
        """Move several tickets to one status, all of them or none.

        Raises:
            NotFound, Forbidden, Conflict, Invalid: what keeps one of them from it; its errors name all such keys.
        """
        with self._writing(roles.MOVE) as work:
            moves = bulk.each(keys, lambda key: self._move(work.tickets, key, to, resolution))
            for ticket, changes in moves:
                work.tickets.record(ticket, self._entry(ticket, "transitioned", changes))
        at = self.now()
        return TicketListView(items=[ListedTicketView.of(ticket, at=at) for ticket, _ in moves])

    def movable(self, keys: Sequence[str], to: Status, *, resolution: str | None = None) -> list[TicketView]:
        """The tickets that ``bulk_transition`` would move, as they are. Raises what it would."""
        reach = roles.reach(self.caller, roles.MOVE)
        with self.database.reading() as session:
            tickets = TicketRepository(session, reach)
            moves = bulk.each(keys, lambda key: self._move(tickets, key, to, resolution))
        return [self.told(ticket) for ticket, _ in moves]

    def delete(self, key: str, *, expected_version: int) -> DeletedView:
        """Delete a ticket with all that was said and became of it.

        Raises:
            Conflict: the ticket was changed meanwhile.
        """
        with self._writing(roles.DELETE) as work:
            ticket = work.tickets.get(key)
            _require_version(ticket, expected_version)
            work.tickets.remove(ticket, self._deletion(ticket))
        return DeletedView(key=key, deleted=True)

    def deletable(self, key: str, *, expected_version: int) -> tuple[TicketView, int]:
        """The ticket that ``delete`` would delete, and how many comments it has. Raises what it would."""
        reach = roles.reach(self.caller, roles.DELETE)
        with self.database.reading() as session:
            tickets = TicketRepository(session, reach)
            ticket = tickets.get(key)
            _require_version(ticket, expected_version)
            _, comments = tickets.comments(ticket, limit=1, after=None)
        return self.told(ticket), comments

    @contextmanager
    def _writing(self, permission: Permission) -> Iterator[Work]:
        """One transaction on what the permission reaches. Whoever writes here is known here from then on."""
        reach = roles.reach(self.caller, permission)
        with self.database.writing() as session:
            roster = Roster(session, reach)
            roster.meet(self.caller)
            yield Work(session, TicketRepository(session, reach), roster)

    def _once(
        self, work: Work, tool: str, key: str | None, payload: dict[str, Any], act: Callable[[], dict[str, Any]]
    ) -> dict[str, Any]:
        return once(
            work.session, Answered, caller=self.caller, tool=tool, key=key, payload=payload, at=self.now(), act=act
        )

    def _move(
        self, tickets: TicketRepository, key: str, to: Status, resolution: str | None
    ) -> tuple[Ticket, tuple[Change, ...]]:
        ticket = tickets.get(key)
        return ticket, self._moving(ticket, to, resolution)

    def _moving(self, ticket: Ticket, to: Status, resolution: str | None) -> tuple[Change, ...]:
        """What a transition changes, if the caller may make it."""
        roles.require_way(self.caller, ticket.status, to)
        after = workflow.resolution_after(ticket.status, to, given=resolution, present=ticket.resolution)
        return history.changed(_fields(ticket), {"status": to, "resolution": after})

    def _first(self, draft: Draft) -> Entry:
        fields: dict[Field, Value] = {
            "title": draft.title,
            "description": draft.description,
            "type": draft.type,
            "status": FIRST_STATUS,
            "priority": draft.priority,
            "resolution": None,
            "reporter_id": self.caller.subject,
            "assignee_id": draft.assignee_id,
            "team_id": draft.team_id,
            "labels": labels.normalized(draft.labels),
        }
        return history.creation(fields, at=self.now(), actor=self._actor())

    def _entry(
        self,
        ticket: Ticket,
        kind: EntryType,
        changes: tuple[Change, ...] = (),
        *,
        comment: Visibility | None = None,
    ) -> Entry:
        return Entry(ticket.version + 1, self.now(), kind, self._actor(), changes, comment)

    def _comment(self, ticket: Ticket, entry: Entry, body: str, visibility: Visibility) -> Comment:
        return Comment(
            place=ticket.place,
            seq=entry.seq,
            id=seeded_id("cmt", ticket.id, entry.seq),
            author_id=self.caller.subject,
            body=body,
            visibility=visibility,
            created_at=entry.at,
        )

    def _deletion(self, ticket: Ticket) -> Deletion:
        return Deletion(
            place=ticket.place,
            org_id=ticket.org_id,
            key=ticket.key,
            version=ticket.version,
            at=self.now(),
            actor_id=self.caller.subject,
            client_id=self.caller.client_id,
            acting=self.caller.actor,
            trace_id=self.caller.trace_id,
        )

    def _actor(self) -> Actor:
        return Actor(self.caller.subject, self.caller.client_id, self.caller.actor, self.caller.trace_id)


def _require_version(ticket: Ticket, expected: int | None) -> None:
    if expected is not None and ticket.version != expected:
        raise Conflict(
            f"{ticket.key} is at version {ticket.version}, not {expected}. Read it again before changing it.",
            errors=[Flaw(pointer="arguments.expected_version", detail=f"The present version is {ticket.version}.")],
        )


def _require_fixed_policy(ticket: Ticket, changes: Sequence[Change]) -> None:
    # Whether it was settled in time would be another question afterwards.
    if workflow.category(ticket.status) == "done" and any(change.field == "priority" for change in changes):
        says = "A ticket that is done keeps its priority; reopen it first."
        raise Conflict(says, errors=[Flaw(pointer="arguments.priority", detail=says)])


def _fields(ticket: Ticket) -> dict[Field, Value]:
    return {field: getattr(ticket, field) for field in history.FIELDS}


def _tidy(wanted: Mapping[Field, Value]) -> dict[Field, Value]:
    spelled = wanted.get("labels")
    return {**wanted, "labels": labels.normalized(spelled)} if isinstance(spelled, list) else dict(wanted)


def _json(view: TicketView | CommentedView) -> dict[str, Any]:
    return view.model_dump(mode="json")
