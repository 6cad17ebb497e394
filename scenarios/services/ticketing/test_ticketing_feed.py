"""The feed of changes: each accepted write once, in the order of commits, for whoever may see it."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest
from sqlalchemy import select

from scenarios.services.waking import wakes
from services.shared.database import Database
from services.shared.feed import change_id
from services.shared.news import announce
from services.shared.permissions import Caller
from services.shared.problems import Conflict, Forbidden, ProblemError
from services.ticketing.desk import Draft, TicketDesk
from services.ticketing.feed_views import FeedView, TicketChangeView
from services.ticketing.history import FIELDS
from services.ticketing.tables import FeedEntry

DeskOf = Callable[..., TicketDesk]
DRAFT = Draft("Kettle leaks", "On the second floor", "incident", "urgent", ("kitchen",))


def new(desk: TicketDesk, after: int = 0) -> list[TicketChangeView]:
    return desk.changes(after, limit=100).items


def ended(page: FeedView) -> int:
    """Where the feed ends; the page tells of nothing else."""
    assert (page.items, page.more) == ([], False)
    return page.position


def test_it_begins_with_the_world_and_holds_nothing_of_what_was_seeded(desk_of: DeskOf) -> None:
    assert ended(desk_of("alice").changes(None, limit=50)) == 0
    assert ended(desk_of("alice").changes(0, limit=50)) == 0


def test_a_new_ticket_is_a_change_that_tells_who_did_what_and_by_what(database: Database, desk_of: DeskOf) -> None:
    alice = desk_of("alice").caller
    caller = Caller(alice.subject, alice.org_id, alice.roles, alice.scopes, "cli", "api", "4bf92f3577b34da6")
    desk = TicketDesk(caller, database, now=desk_of("alice").now)
    ticket = desk.create(DRAFT)
    feed = desk.changes(0, limit=50)
    assert (feed.position, feed.more) == (1, False)
    [change] = feed.items
    assert change.model_dump(exclude={"changes", "at"}) == {
        "position": 1,
        "id": change_id(alice.org_id, 1, ticket.created_at),
        "type": "created",
        "key": ticket.key,
        "ticketId": ticket.id,
        "version": 1,
        "actorId": alice.subject,
        "clientId": "cli",
        "actingId": "api",
        "traceId": "4bf92f3577b34da6",
        "visibility": None,
    }
    assert change.at == ticket.created_at
    told = {each.field: (each.before, each.after) for each in change.changes}
    assert len(told) == len(FIELDS)
    assert (told["status"], told["priority"], told["reporterId"]) == (
        (None, "open"),
        (None, "urgent"),
        (None, alice.subject),
    )


def test_each_kind_of_write_adds_one_change_of_its_own(desk_of: DeskOf) -> None:
    adam = desk_of("adam")
    key = adam.create(DRAFT).key
    adam.update(key, {"priority": "low", "type": "problem"}, expected_version=1)
    adam.assign(key, adam.caller.subject)
    adam.comment(key, "Looking", "internal")
    adam.comment(key, "On my way")
    adam.transition(key, "in_progress", comment="Now")
    adam.transition(key, "resolved", resolution="New seal")
    adam.delete(key, expected_version=7)
    changes = new(adam)
    assert [(change.position, change.type, change.version, change.visibility) for change in changes] == [
        (1, "created", 1, None),
        (2, "updated", 2, None),
        (3, "assigned", 3, None),
        (4, "commented", 4, "internal"),
        (5, "commented", 5, "public"),
        (6, "transitioned", 6, "public"),
        (7, "transitioned", 7, None),
        (8, "deleted", 7, None),
    ]
    assert {change.key for change in changes} == {key}
    assert len({change.id for change in changes}) == 8
    told = {each.field: (each.before, each.after) for each in changes[1].changes}
    assert told == {"priority": ("urgent", "low"), "type": ("incident", "problem")}
    assert changes[-1].changes == []


def test_each_ticket_of_several_is_a_change(desk_of: DeskOf) -> None:
    alice = desk_of("alice")
    keys = [alice.create(DRAFT).key for _ in range(3)]
    alice.bulk_transition(keys, "resolved", resolution="Fixed")
    assert [(change.position, change.key, change.type) for change in new(alice, 3)] == [
        (4 + number, key, "transitioned") for number, key in enumerate(keys)
    ]


def test_what_is_refused_or_repeated_or_changes_nothing_is_none(desk_of: DeskOf) -> None:
    alice, rita = desk_of("alice"), desk_of("rita")
    key = alice.create(DRAFT, idempotency_key="once").key
    alice.comment(key, "Yes?", idempotency_key="once")
    assert alice.create(DRAFT, idempotency_key="once").key == key
    alice.comment(key, "Yes?", idempotency_key="once")
    alice.update(key, {"title": DRAFT.title}, expected_version=2)
    alice.assign(key, None)
    refusals: list[Callable[[], object]] = [
        lambda: alice.update(key, {"title": "x"}, expected_version=1),
        lambda: alice.transition(key, "closed"),
        lambda: alice.delete(key, expected_version=2),
        lambda: rita.comment(key, "Not mine"),
        lambda: alice.bulk_transition([key, "ACME-99999"], "cancelled"),
        lambda: alice.assign(key, "usr_nobody"),
    ]
    for refusal in refusals:
        with pytest.raises(ProblemError):
            refusal()
    assert [change.type for change in new(alice)] == ["created", "commented"]


def test_positions_have_no_gap_and_come_in_the_order_of_commits_however_many_write(desk_of: DeskOf) -> None:
    desks = [desk_of(name) for name in ("alice", "adam", "olivia") * 6]
    seen: list[list[int]] = []

    def write(desk: TicketDesk) -> None:
        desk.create(DRAFT)
        seen.append([change.position for change in new(desk)])

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(write, desks))
    assert [change.position for change in new(desks[0])] == list(range(1, 19))
    assert all(positions == list(range(1, len(positions) + 1)) for positions in seen)


def test_it_is_read_page_by_page_and_tells_whether_there_is_more(desk_of: DeskOf) -> None:
    alice = desk_of("alice")
    for _ in range(5):
        alice.create(DRAFT)
    pages, position, more = list[list[int]](), 0, True
    while more:
        page = alice.changes(position, limit=2)
        pages.append([change.position for change in page.items])
        position, more = page.position, page.more
    assert (pages, position) == ([[1, 2], [3, 4], [5]], 5)
    assert ended(alice.changes(5, limit=2)) == 5
    assert ended(alice.changes(None, limit=2)) == 5
    assert alice.changes(3, limit=2).more is False


def test_a_requester_is_told_of_what_they_reported_and_moves_past_the_rest(desk_of: DeskOf) -> None:
    alice, rita = desk_of("alice"), desk_of("rita")
    own = rita.create(DRAFT).key
    alice.create(DRAFT)
    alice.comment(own, "Not a word to her", "internal")
    alice.comment(own, "Coming")
    alice.create(DRAFT)
    feed = rita.changes(0, limit=50)
    assert [(change.position, change.key, change.type) for change in feed.items] == [
        (1, own, "created"),
        (4, own, "commented"),
    ]
    assert (feed.position, feed.more) == (5, False)
    assert rita.changes(0, limit=1).more is True
    assert rita.changes(1, limit=1).position == 5
    assert ended(rita.changes(4, limit=50)) == 5


def test_the_reporter_is_told_that_their_ticket_is_gone(desk_of: DeskOf) -> None:
    rita, adam = desk_of("rita"), desk_of("adam")
    key = rita.create(DRAFT).key
    adam.delete(key, expected_version=1)
    assert [(change.type, change.key) for change in new(rita, 1)] == [("deleted", key)]


def test_a_viewer_sees_all_of_it(desk_of: DeskOf) -> None:
    key = desk_of("rita").create(DRAFT).key
    desk_of("alice").comment(key, "Among us", "internal")
    assert [change.type for change in new(desk_of("victor"))] == ["created", "commented"]


def test_organizations_have_feeds_of_their_own(desk_of: DeskOf) -> None:
    for _ in range(3):
        desk_of("alice").create(DRAFT)
    grace = desk_of("grace")
    assert ended(grace.changes(None, limit=50)) == 0
    key = grace.create(DRAFT).key
    assert [(change.position, change.key) for change in new(grace)] == [(1, key)]
    assert [change.position for change in new(desk_of("alice"))] == [1, 2, 3]


@pytest.mark.parametrize("position", [1, 4, 2**53 - 1])
def test_a_position_beyond_the_end_is_of_another_life_even_if_another_organization_is_there(
    desk_of: DeskOf, position: int
) -> None:
    for _ in range(4):
        desk_of("alice").create(DRAFT)
    with pytest.raises(Conflict, match="ends at 0") as caught:
        desk_of("grace").changes(position, limit=50)
    assert [flaw.pointer for flaw in caught.value.errors or ()] == ["arguments.after"]


def test_a_position_has_a_mark_by_which_it_is_told_from_that_of_another_feed(desk_of: DeskOf) -> None:
    alice, rita, grace = desk_of("alice"), desk_of("rita"), desk_of("grace")
    for desk in (alice, alice, grace, grace):
        desk.create(DRAFT)
    changes = alice.changes(0, limit=1)
    assert changes.mark == changes.items[0].id.removeprefix("chg_")
    assert [change.position for change in alice.changes(1, changes.mark, limit=9).items] == [2]
    assert rita.changes(None, limit=1).mark == alice.changes(None, limit=1).mark
    for position, mark in ((2, changes.mark), (1, grace.changes(0, limit=1).mark), (0, grace.changes(0, limit=1).mark)):
        with pytest.raises(Conflict, match="another mark") as caught:
            alice.changes(position, mark, limit=9)
        assert [flaw.pointer for flaw in caught.value.errors or ()] == ["arguments.after"]


def test_who_may_not_read_tickets_reads_no_feed(desk_of: DeskOf) -> None:
    alice = desk_of("alice")
    mute = Caller(alice.caller.subject, alice.caller.org_id, alice.caller.roles, frozenset({"tickets:write"}))
    with pytest.raises(Forbidden):
        TicketDesk(mute, alice.database, now=alice.now).changes(0, limit=50)


def test_nothing_that_was_said_is_in_it_so_that_nothing_is_left_after_a_deletion(
    database: Database, desk_of: DeskOf
) -> None:
    adam = desk_of("adam")
    key = adam.create(Draft("secret title", "secret text", "incident", "urgent", ("secret label",))).key
    adam.update(key, {"title": "secret title 2", "description": "secret 2", "labels": ["secret 2"]}, expected_version=1)
    adam.comment(key, "secret comment")
    adam.transition(key, "resolved", resolution="secret answer", comment="secret aside")
    told = {each.field: (each.before, each.after) for each in new(adam)[1].changes}
    assert told == {"title": (None, None), "description": (None, None), "labels": (None, None)}
    assert [each.field for each in new(adam)[3].changes] == ["status", "resolution"]
    adam.delete(key, expected_version=4)
    assert "secret" not in json.dumps([change.model_dump(mode="json") for change in new(adam)])
    assert "secret" not in repr(_rows(database))


def test_a_commit_wakes_who_waits_in_its_organization(database: Database, desk_of: DeskOf) -> None:
    alice, grace = desk_of("alice"), desk_of("grace")
    assert wakes(database, alice.caller.org_id, lambda: alice.create(DRAFT, idempotency_key="once"))
    assert not wakes(database, grace.caller.org_id, lambda: alice.create(DRAFT))
    assert not wakes(database, alice.caller.org_id, lambda: alice.create(DRAFT, idempotency_key="once"))


def test_what_is_rolled_back_wakes_nobody(database: Database, desk_of: DeskOf) -> None:
    alice = desk_of("alice")

    def break_off() -> None:
        with suppress(ZeroDivisionError), database.writing() as session:
            announce(session, alice.caller.org_id)
            1 / 0  # noqa: B018

    assert not wakes(database, alice.caller.org_id, break_off)


def _rows(database: Database) -> list[Any]:
    with database.reading() as session:
        return list(session.execute(select(FeedEntry.__table__)).all())
