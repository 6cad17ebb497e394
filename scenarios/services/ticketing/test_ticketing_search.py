"""Search: whatever finds the tickets, it finds what a look at every one of them would."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text

from services.shared.database import Database, connected
from services.shared.permissions import Caller
from services.shared.world import Organization, Person, SeededTicket, Team, World, load
from services.ticketing import labels, listing, seed, text_index
from services.ticketing.desk import TicketDesk
from services.ticketing.reading import TicketReader
from services.ticketing.tables import Base, Tally, Ticket
from services.ticketing.views import TicketView
from services.ticketing.wanted import Sort, Wanted
from services.ticketing.workflow import PRIORITIES, STATUSES, TicketType

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
WORDS = ("vpn", "VPN drops", "100%", "a_b", "Straße", "İstanbul", "🚒 fire", "e\u0301", '"quoted"', "OR", "*", "ab")
PEOPLE = tuple(
    Person(f"usr_{n}", f"p{n}", f"P{n}", "", role) for n, role in enumerate(("agent", "requester", "viewer"))
)


def _ticket(number: int) -> SeededTicket:
    """One of many that have a lot in common, each pair of them in some other way."""
    at = NOON + timedelta(minutes=number // 3)
    status = STATUSES[number % 6]
    return SeededTicket(
        number=number,
        title=f"{WORDS[number % 12]} {WORDS[number % 7]}",
        description=WORDS[number % 5] * (number % 3),
        type=get_args(TicketType)[number % 5],
        status=status,
        priority=PRIORITIES[number % 4],
        reporter_id=PEOPLE[number % 3].id,
        assignee_id=None if number % 2 else PEOPLE[0].id,
        labels=tuple({0: ("VPN",), 1: ("vpn", "Net work"), 2: ()}[number % 3]),
        created_at=at,
        updated_at=at + timedelta(minutes=number % 4),
        resolution="Done." if status in ("resolved", "closed") else None,
        team_id="team_1" if number % 4 == 0 else None,
    )


@pytest.fixture(scope="module")
def alike(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    organizations = tuple(
        Organization(
            id=f"org_{n}",
            slug=f"o{n}",
            name=f"O{n}",
            prefix=f"ORG{n}",
            people=PEOPLE,
            status="active",
            teams=(Team("team_1", "One", ()),),
            ticket_count=60,
            each_ticket=lambda: map(_ticket, range(1, 61)),
        )
        for n in (1, 2)
    )
    with connected(f"sqlite:///{tmp_path_factory.mktemp('search') / 'tickets.db'}", Base.metadata) as database:
        seed.lay(World("alike", 1, organizations), database)
        yield database


def reader(database: Database, person: Person = PEOPLE[0]) -> TicketReader:
    caller = Caller(person.id, "org_1", frozenset({person.role}), frozenset({"tickets:read"}))
    return TicketReader(caller, database, now=lambda: NOON)


def by_looking_at_all(database: Database, caller: Caller, wanted: Wanted) -> list[str]:
    """What a search must find, said in plain Python."""

    def fits(ticket: Ticket) -> bool:
        spelled = {labels.folded(label) for label in ticket.labels}
        return all(
            (
                ticket.org_id == caller.org_id,
                "requester" not in caller.roles or ticket.reporter_id == caller.subject,
                wanted.query is None or wanted.query.casefold() in ticket.searched,
                not wanted.statuses or ticket.status in wanted.statuses,
                not wanted.priorities or ticket.priority in wanted.priorities,
                wanted.kind in (None, ticket.type),
                wanted.assignee_id in (None, ticket.assignee_id),
                not wanted.unassigned or ticket.assignee_id is None,
                wanted.reporter_id in (None, ticket.reporter_id),
                {labels.folded(label) for label in wanted.labels} <= spelled,
                wanted.team_id in (None, ticket.team_id),
                wanted.updated_since is None or ticket.updated_at >= wanted.updated_since,
            )
        )

    with database.reading() as session:
        found = [ticket for ticket in session.scalars(select(Ticket)) if fits(ticket)]
        found.sort(key=lambda ticket: (getattr(ticket, wanted.order.column), ticket.number), reverse=wanted.down)
        return [ticket.key for ticket in found]


def all_pages(desk: TicketReader, wanted: Wanted, *, limit: int) -> tuple[list[TicketView], set[int]]:
    found, totals, cursor = list[TicketView](), set[int](), None
    while True:
        page = desk.search(wanted, limit=limit, cursor=cursor)
        found += page.items
        totals.add(page.total)
        if (cursor := page.next_cursor) is None:
            return found, totals


PARTS = st.sampled_from(WORDS).flatmap(
    lambda word: st.tuples(st.integers(0, len(word) - 1), st.integers(1, 12)).map(
        lambda cut: word[cut[0] : cut[0] + cut[1]]
    )
)
WANTED = st.builds(
    Wanted,
    query=st.none() | PARTS | st.text(min_size=1, max_size=5).filter(lambda text: "\0" not in text),
    statuses=st.lists(st.sampled_from(STATUSES), max_size=3).map(tuple),
    priorities=st.lists(st.sampled_from(PRIORITIES), max_size=2).map(tuple),
    kind=st.none() | st.sampled_from(get_args(TicketType)),
    assignee_id=st.none() | st.just(PEOPLE[0].id),
    unassigned=st.booleans(),
    reporter_id=st.none() | st.sampled_from([person.id for person in PEOPLE]),
    labels=st.lists(st.sampled_from(["vpn", "VPN", "net  work", "none"]), max_size=2).map(tuple),
    team_id=st.sampled_from([None, "team_1", "team_2"]),
    updated_since=st.none() | st.integers(-1, 25).map(lambda minutes: NOON + timedelta(minutes=minutes)),
    sort=st.sampled_from(get_args(Sort)),
)


@settings(max_examples=40, deadline=None)
@given(few=st.sampled_from([0, 500]), wanted=WANTED, person=st.sampled_from(PEOPLE), limit=st.sampled_from([1, 7, 70]))
def test_every_way_to_find_tickets_finds_the_same(
    alike: Database, few: int, wanted: Wanted, person: Person, limit: int
) -> None:
    desk = reader(alike, person)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(listing, "FEW", few)
        found, totals = all_pages(desk, wanted, limit=limit)
    expected = by_looking_at_all(alike, desk.caller, wanted)
    assert [ticket.key for ticket in found] == expected
    assert totals == {len(expected)}


@pytest.mark.parametrize("person", PEOPLE, ids=lambda person: person.role)
@pytest.mark.parametrize("by", ["status", "priority", "type", "assignee", "team"])
def test_statistics_add_up_to_what_searches_count(alike: Database, person: Person, by: str) -> None:
    desk = reader(alike, person)
    stats = desk.stats(by)  # type: ignore[arg-type]
    assert stats.total == desk.search(Wanted(), limit=1, cursor=None).total
    for group in stats.groups:
        wanted = {
            "status": Wanted(statuses=(group.value,)),  # type: ignore[arg-type]
            "priority": Wanted(priorities=(group.value,)),  # type: ignore[arg-type]
            "type": Wanted(kind=group.value),  # type: ignore[arg-type]
            "assignee": Wanted(assignee_id=group.value, unassigned=group.value is None),
            "team": Wanted(team_id=group.value),
        }[by]
        if by != "team" or group.value is not None:
            assert desk.search(wanted, limit=1, cursor=None).total == group.count > 0


def test_a_world_leaves_all_indexes_that_an_empty_database_has(alike: Database, tmp_path: Path) -> None:
    def schema(of: Database) -> set[tuple[str, ...]]:
        told = text("SELECT type, name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_stat%'")
        with of.reading() as session:
            return {tuple(row) for row in session.execute(told)}

    with connected(f"sqlite:///{tmp_path / 'empty.db'}", Base.metadata) as empty:
        assert schema(alike) == schema(empty)


def test_what_changes_is_found_by_what_it_says_now_and_what_is_gone_is_not(desk_of: Callable[..., TicketDesk]) -> None:
    """The index of texts and the tallies change with the ticket, or not at all."""
    adam = desk_of("adam")
    adam.update("ACME-1", {"title": "Espresso machine"}, expected_version=adam.get("ACME-1").version)

    def found(query: str) -> list[str]:
        return [ticket.key for ticket in adam.search(Wanted(query), limit=9, cursor=None).items]

    assert (found("espresso"), found("VPN drops")) == (["ACME-1"], [])
    adam.delete("ACME-1", expected_version=adam.get("ACME-1").version)
    assert found("espresso") == []
    with adam.database.reading() as session:
        tallied = session.execute(select(Tally.status, Tally.priority, Tally.type, Tally.count, Tally.org_id)).all()
        counted = session.execute(
            text("SELECT status, priority, type, COUNT(*), org_id FROM tickets GROUP BY org_id, status, priority, type")
        ).all()
    assert {tuple(row) for row in tallied if row[3]} == {tuple(row) for row in counted}


def test_a_cursor_goes_on_in_the_order_it_was_made_for_only(alike: Database) -> None:
    desk = reader(alike)
    wanted = Wanted(sort="priority")
    cursor = desk.search(wanted, limit=5, cursor=None).next_cursor
    for other in (replace(wanted, sort="-priority"), replace(wanted, sort="key")):
        with pytest.raises(Exception, match="cursor"):
            desk.search(other, limit=5, cursor=cursor)


def test_completed_keys_begin_so_and_are_in_sight(alike: Database) -> None:
    agent, requester = reader(alike), reader(alike, PEOPLE[1])
    assert set(agent.keys("org1-1", limit=100)) == {f"ORG1-{n}" for n in (1, *range(10, 20))}
    assert agent.keys("ORG2", limit=100) == agent.keys("%", limit=100) == []
    assert set(requester.keys("", limit=100)) == {f"ORG1-{n}" for n in range(1, 61) if n % 3 == 1}


def test_the_seeded_tickets_are_what_the_world_says(desk_of: Callable[..., TicketDesk]) -> None:
    acme = load("small", 1).organizations[0]
    alice = desk_of("alice")
    for ticket in acme.tickets:
        shown = alice.get(f"ACME-{ticket.number}", frozenset({"comments", "history"}))
        assert (shown.title, shown.status, shown.priority) == (ticket.title, ticket.status, ticket.priority)
        assert (shown.assignee_id, shown.resolution, shown.team_id) == (
            ticket.assignee_id,
            ticket.resolution,
            ticket.team_id,
        )
        assert (shown.created_at, shown.updated_at) == (ticket.created_at, ticket.updated_at)
        assert [(said.author_id, said.body, said.visibility, said.created_at) for said in shown.comments or ()] == [
            (said.author_id, said.body, said.visibility, said.at) for said in ticket.comments
        ]
        assert [entry.seq for entry in shown.history or ()] == list(range(1, shown.version + 1))


def test_kinds_have_codes_that_tell_them_apart_and_that_no_text_is_taken_for(
    desk_of: Callable[..., TicketDesk],
) -> None:
    codes = [
        text_index.code(kind, value)
        for kind, values in (("status", STATUSES), ("priority", PRIORITIES), ("type", get_args(TicketType)))
        for value in values
    ]
    assert len({*codes}) == len(codes)
    found = desk_of("alice").search(Wanted(query="sop"), limit=100, cursor=None)
    assert found.total == 0
