"""Anything done to tickets in any order by anybody: after each step they are what a simple model says."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, get_args

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, multiple, rule
from sqlalchemy import select

from scenarios.services.ticketing.model import Known, Somebody, Tickets, Told
from services.shared.database import connected
from services.shared.idempotency import KEPT
from services.shared.permissions import Caller
from services.shared.problems import ProblemError
from services.shared.world import Organization, Person, Team, World
from services.ticketing import history, labels, seed
from services.ticketing.desk import Draft, TicketDesk
from services.ticketing.repository import read
from services.ticketing.tables import Base, Comment, HistoryEntry, Ticket
from services.ticketing.wanted import Wanted
from services.ticketing.workflow import PRIORITIES, STATUSES, TicketType

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ALICE, ADAM, RITA, ROLF, VICTOR, GRACE = PEOPLE = (
    Somebody("usr_alice", "agent"),
    Somebody("usr_adam", "admin"),
    Somebody("usr_rita", "requester"),
    Somebody("usr_rolf", "requester"),
    Somebody("usr_victor", "viewer"),
    Somebody("usr_grace", "agent", org="org_2"),
)
ANYBODY = st.sampled_from(PEOPLE) | st.builds(
    lambda who, scopes: replace(who, scopes=frozenset(scopes)),
    st.sampled_from(PEOPLE),
    st.sets(st.sampled_from(["tickets:read", "tickets:write", "tickets:delete"])),
)
MAYBE = st.none() | st.sampled_from(["Fixed", "Not a bug"])
KEYS = st.none() | st.sampled_from(["key-1", "key-2"])


@cache
def _laid() -> Path:
    """A database with two organizations and no ticket; each example takes a copy."""
    path = Path(tempfile.mkdtemp(prefix="ticketing-life-"), "tickets.db")
    organizations = tuple(
        Organization(
            id=org,
            slug=org,
            name=org,
            prefix=prefix,
            people=tuple(Person(who.id, who.id, who.id, "", who.role) for who in PEOPLE if who.org == org),
            status="active",
            teams=(Team("team_1", "One", ()),),
            ticket_count=0,
            each_ticket=lambda: iter(()),
        )
        for org, prefix in (("org_1", "ONE"), ("org_2", "TWO"))
    )
    with connected(f"sqlite:///{path}", Base.metadata) as database:
        seed.lay(World("life", 1, organizations), database)
    return path


class Life(RuleBasedStateMachine):
    """Tickets, and the model of them."""

    keys = Bundle("keys")

    def __init__(self) -> None:
        super().__init__()
        self.opened = ExitStack()
        folder = Path(self.opened.enter_context(tempfile.TemporaryDirectory()))
        path = shutil.copy(_laid(), folder / "tickets.db")
        self.database = self.opened.enter_context(connected(f"sqlite:///{path}", Base.metadata))
        self.tickets = Tickets()
        self.feeds: dict[str, list[Told]] = {"org_1": [], "org_2": []}
        self.told = dict[str, int]()
        self.answered: dict[tuple[str, str, str | None], tuple[object, Any, datetime]] = {}
        self.at = NOON
        self.touched: str | None = None

    def teardown(self) -> None:
        self.opened.close()

    def desk(self, who: Somebody) -> TicketDesk:
        caller = Caller(who.id, who.org, frozenset({who.role}), who.scopes, client_id="cli", trace_id="t1")
        return TicketDesk(caller, self.database, now=lambda: self.at)

    def digest(self) -> str:
        """Of all there is."""
        everything = hashlib.sha256()
        with self.database.reading() as session:
            for table in Base.metadata.sorted_tables:
                everything.update(repr(session.execute(select(table)).all()).encode())
        return everything.hexdigest()

    def attempt(self, refusal: str | None, act: Callable[[], Any]) -> Any:
        """Do it: refused as it must be, with nothing changed, or done. None was refused."""
        before = self.digest()
        try:
            answer, told = act(), None
        except ProblemError as error:
            answer, told = None, error.code
        assert told == refusal
        assert refusal is None or self.digest() == before
        return answer

    def once(self, who: Somebody, tool: str, key: str | None, payload: object, act: Callable[[], Any]) -> Any:
        """Do it with an idempotency key: the first time it is done, then told again, and never for something else."""
        place = (who.id, tool, key)
        if not self.kept(*place):
            answer = self.attempt(None, act)
            if key is not None:
                self.answered[place] = (payload, answer, self.at)
            return answer
        asked, answer, _ = self.answered[place]
        before = self.digest()
        assert self.attempt("invalid" if payload != asked else None, act) == (answer if payload == asked else None)
        assert self.digest() == before
        return None

    def kept(self, who_id: str, tool: str, key: str | None) -> bool:
        """Whether an answer is given again: for a day."""
        place = (who_id, tool, key)
        return place in self.answered and self.at - self.answered[place][2] < KEPT

    @initialize(target=keys)
    def begin(self) -> Any:
        made = [self.desk(who).create(Draft("Lift", "", "request", "high", ())) for who in (RITA, ALICE, GRACE)]
        for ticket, who in zip(made, (RITA, ALICE, GRACE), strict=True):
            self.tickets[ticket.key] = self._new(who, Draft("Lift", "", "request", "high", ()))
            self._tell("created", ticket.key)
        return multiple(*(ticket.key for ticket in made))

    def _new(self, who: Somebody, draft: Draft) -> Known:
        fields = {
            "title": draft.title,
            "description": draft.description,
            "type": draft.type,
            "priority": draft.priority,
            "labels": list(draft.labels),
            "team_id": draft.team_id,
            "assignee_id": draft.assignee_id,
            "reporter_id": who.id,
            "status": "open",
            "resolution": None,
        }
        return Known(who.org, fields)

    @rule(
        target=keys,
        who=ANYBODY,
        kind=st.sampled_from(get_args(TicketType)),
        assignee=st.sampled_from([None, *(who.id for who in PEOPLE), "usr_nobody"]),
        team=st.sampled_from([None, None, "team_1", "team_9"]),
        key=KEYS,
    )
    def create(self, who: Somebody, kind: TicketType, assignee: str | None, team: str | None, key: str | None) -> Any:
        draft = Draft("Kettle", "leaks", kind, "normal", ("tea",), team, assignee)
        act = lambda: self.desk(who).create(draft, idempotency_key=key)  # noqa: E731
        workers = {each.id for each in PEOPLE if each.org == who.org and each.role in ("agent", "admin", "owner")}
        refusal: str | None = None
        if not who.may("create") or (assignee is not None and not who.may("change")):
            refusal = "forbidden"
        elif self.kept(who.id, "create", key):
            self.once(who, "create", key, draft, act)
            return multiple()
        elif assignee not in {None, *workers} or team not in (None, "team_1"):
            refusal = "invalid"
        if refusal is not None:
            self.attempt(refusal, act)
            return multiple()
        answer = self.once(who, "create", key, draft, act)
        assert answer.key not in self.tickets
        self.tickets[answer.key], self.touched = self._new(who, draft), answer.key
        self._tell("created", answer.key)
        return answer.key

    @rule(
        who=ANYBODY,
        key=keys,
        title=st.none() | st.sampled_from(["Lift", "Kettle", "Door"]),
        priority=st.none() | st.sampled_from(PRIORITIES),
        spelled=st.none() | st.lists(st.sampled_from(["tea", "TEA", "vpn"]), max_size=3),
        late=st.booleans(),
    )
    def update(
        self, who: Somebody, key: str, *, title: str | None, priority: str | None, spelled: list[str] | None, late: bool
    ) -> None:
        given = {"title": title, "priority": priority, "labels": spelled}
        wanted: dict[Any, Any] = {name: value for name, value in given.items() if value is not None}
        version = self._version(key) - late
        refusal = self.tickets.unseen(who, "change", key) or self.tickets.stale(key, version)
        refusal = refusal or self.tickets[key].keeps(wanted)
        act = lambda: self.desk(who).update(key, wanted, expected_version=version)  # noqa: E731
        if self.attempt(refusal, act) is not None:
            if spelled is not None:
                wanted["labels"] = labels.normalized(spelled)
            self._changed(key, wanted, "updated")

    @rule(who=ANYBODY, key=keys, to=st.sampled_from([None, *(who.id for who in PEOPLE)]), version=st.booleans())
    def assign(self, who: Somebody, key: str, to: str | None, version: bool) -> None:
        refusal = self.tickets.unseen(who, "change", key)
        if refusal is None and to not in {None, self.tickets[key].fields["assignee_id"]}:
            workers = {each.id for each in PEOPLE if each.org == who.org and each.role in ("agent", "admin", "owner")}
            refusal = None if to in workers else "invalid"
        expected = self._version(key) if version else None
        if self.attempt(refusal, lambda: self.desk(who).assign(key, to, expected_version=expected)) is not None:
            self._changed(key, {"assignee_id": to}, "assigned")
            before = self.digest()
            assert self.desk(who).assign(key, to).version == self.tickets[key].version
            assert self.digest() == before

    @rule(
        who=ANYBODY,
        key=keys,
        to=st.sampled_from(STATUSES),
        resolution=MAYBE,
        comment=MAYBE,
        late=st.sampled_from([0, 1]),
    )
    def transition(
        self, who: Somebody, key: str, *, to: Any, resolution: str | None, comment: str | None, late: int
    ) -> None:
        version = self._version(key) - late
        refusal = self.tickets.unseen(who, "move", key) or self.tickets.stale(key, version)
        refusal = refusal or self.tickets[key].refusal(who, to, resolution)
        act = lambda: self.desk(who).transition(  # noqa: E731
            key, to, resolution=resolution, comment=comment, expected_version=version
        )
        if self.attempt(refusal, act) is not None:
            self.tickets[key].move(to, resolution, at=self.at)
            self._tell("transitioned", key, None if comment is None else "public")
            self.touched = key
            if comment is not None:
                self.tickets[key].comments.append((who.id, comment, "public"))
                self.tickets[key].answer(who.id, self.at)

    @rule(who=ANYBODY, key=keys, body=st.sampled_from(["Hello", "Secret"]), internal=st.booleans(), once=KEYS)
    def comment(self, who: Somebody, key: str, body: str, internal: bool, once: str | None) -> None:
        visibility: Any = "internal" if internal else "public"
        act = lambda: self.desk(who).comment(key, body, visibility, idempotency_key=once)  # noqa: E731
        refusal = self.tickets.unseen(who, "comment internally" if internal else "comment", key)
        if refusal is not None:
            self.attempt(refusal, act)
        elif (answer := self.once(who, "comment", once, (key, body, visibility), act)) is not None:
            self.tickets[key].comments.append((who.id, body, visibility))
            if not internal:
                self.tickets[key].answer(who.id, self.at)
            self.tickets[key].version += 1
            self._tell("commented", key, visibility)
            self.touched = key
            assert answer.version == self.tickets[key].version

    @rule(who=ANYBODY, some=st.lists(keys, min_size=1, max_size=3), to=st.sampled_from(STATUSES), resolution=MAYBE)
    def bulk(self, who: Somebody, some: list[str], to: Any, resolution: str | None) -> None:
        refusals = {self.tickets.unseen(who, "move", key) for key in some}
        seen = [key for key in dict.fromkeys(some) if who.sees(self.tickets.get(key))]
        if refusals != {"forbidden"}:
            refusals |= {self.tickets[key].refusal(who, to, resolution) for key in seen}
        refusal = next((code for code in ("not_found", "forbidden", "invalid", "conflict") if code in refusals), None)
        act = lambda: self.desk(who).bulk_transition(some, to, resolution=resolution)  # noqa: E731
        if self.attempt(refusal, act) is not None:
            for key in seen:
                self.tickets[key].move(to, resolution, at=self.at)
                self._tell("transitioned", key)

    @rule(who=ANYBODY, key=keys, late=st.booleans())
    def delete(self, who: Somebody, key: str, late: bool) -> None:
        version = self._version(key) - late
        refusal = self.tickets.unseen(who, "delete", key) or self.tickets.stale(key, version)
        if self.attempt(refusal, lambda: self.desk(who).delete(key, expected_version=version)) is not None:
            self._tell("deleted", key)
            del self.tickets[key]
            self.attempt("not_found", lambda: self.desk(who).delete(key, expected_version=version))

    @rule(minutes=st.sampled_from([0, 20, 200, 5_000]))
    def time_goes_by(self, minutes: int) -> None:
        self.at += timedelta(minutes=minutes)

    @rule(who=ANYBODY, key=keys)
    def look(self, who: Somebody, key: str) -> None:
        """Who reads changes nothing, and sees what is theirs to see."""
        before, desk = self.digest(), self.desk(who)
        refusal = self.tickets.unseen(who, "read", key)
        ticket = self.attempt(refusal, lambda: desk.get(key, frozenset({"comments", "history"})))
        self.attempt(refusal, lambda: desk.comments(key, limit=1, cursor=None))
        moves = self.attempt(refusal, lambda: desk.transitions(key))
        if ticket is not None:
            known, staff = self.tickets[key], who.role != "requester"
            seen = [said for said in known.comments if staff or said[2] == "public"]
            assert [(said.author_id, said.body, said.visibility) for said in ticket.comments] == seen
            assert {move.to: bool(move.requires) for move in moves.transitions} == {
                to: to == "resolved" for to in known.ways(who)
            }
            assert staff or "internal" not in {entry.comment for entry in ticket.history}
        if who.may("read"):
            found = {each.key for each in desk.search(Wanted(), limit=100, cursor=None).items}
            assert found == {each for each, known in self.tickets.items() if who.sees(known)}
            assert desk.stats("status").total == len(found)
        assert self.digest() == before

    @invariant()
    def the_touched_ticket_is_its_history_and_the_model(self) -> None:
        key, self.touched = self.touched, None
        if key is None or key not in self.tickets:
            return
        known = self.tickets[key]
        with self.database.reading() as session:
            ticket = session.scalars(select(Ticket).where(Ticket.key == key)).one()
            ordered = select(HistoryEntry).where(HistoryEntry.place == ticket.place).order_by(HistoryEntry.seq)
            entries = [read(row) for row in session.scalars(ordered)]
            said = session.scalars(select(Comment).where(Comment.place == ticket.place).order_by(Comment.seq)).all()
        folded = history.fold(entries)
        assert folded.fields == {field: getattr(ticket, field) for field in history.FIELDS} == known.fields
        assert folded.version == ticket.version == known.version == len(entries)
        assert (folded.clock, folded.updated_at) == (ticket.clock, ticket.updated_at)
        assert (ticket.clock.answered_at or ticket.clock.ended_at) == known.answered_at
        assert [(each.author_id, each.body, each.visibility) for each in said] == known.comments
        assert {entry.actor.trace_id for entry in entries} == {"t1"}
        due = self.desk(ADAM if known.org == "org_1" else GRACE).get(key).sla
        assert due.first_response_due_at > ticket.created_at
        assert due.resolution_due_at is None or due.resolution_due_at > ticket.created_at
        assert (due.resolution_due_at is None) == (ticket.status == "pending")

    def _follow(self, who: Somebody) -> None:
        """Page by page from the beginning, somebody is told of all that is for them, once, and ends at the end."""
        position, more, told = 0, True, list[tuple[int, str, str, int, str | None]]()
        while more:
            page = self.desk(who).changes(position, limit=3)
            told += [(each.position, each.type, each.key, each.version, each.visibility) for each in page.items]
            position, more = page.position, page.more
        feed = self.feeds[who.org]
        assert position == len(feed)
        assert told == [
            (place, each.type, each.key, each.version, each.visibility)
            for place, each in enumerate(feed, start=1)
            if each.for_(who)
        ]

    @invariant()
    def each_accepted_write_is_one_change_for_who_may_see_it(self) -> None:
        now = {org: len(feed) for org, feed in self.feeds.items()}
        for who in PEOPLE if now != self.told else (ADAM, GRACE):
            self._follow(who)
        self.told = now

    def _tell(self, kind: str, key: str, visibility: str | None = None) -> None:
        known = self.tickets[key]
        self.feeds[known.org].append(Told(kind, key, known.version, known.fields["reporter_id"], visibility))

    def _version(self, key: str) -> int:
        return self.tickets[key].version if key in self.tickets else 1

    def _changed(self, key: str, wanted: dict[str, Any], kind: str) -> None:
        known = self.tickets[key]
        if any(known.fields[name] != value for name, value in wanted.items()):
            known.fields |= wanted
            known.version += 1
            self._tell(kind, key)
        self.touched = key


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=12, stateful_step_count=25, deadline=None)
