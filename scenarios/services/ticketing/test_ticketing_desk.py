"""What the desk promises, on a real database and without a server."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.shared.mcp import cursor as cursors
from services.shared.problems import Forbidden, Invalid, NotFound
from services.ticketing import roles
from services.ticketing.desk import Draft, TicketDesk
from services.ticketing.views import TicketView
from services.ticketing.wanted import Wanted

DeskOf = Callable[..., TicketDesk]


class _Place(NamedTuple):
    """What a cursor of tickets holds, whatever the moment."""

    value: datetime
    number: int


class _Seq(NamedTuple):
    """What a cursor of comments or entries holds, whatever the number."""

    seq: int


DRAFT = Draft("Kettle leaks", "On the second floor", "incident", "high", ("kitchen", "water", "kitchen"))


def all_pages(desk: TicketDesk, wanted: Wanted, *, limit: int) -> list[TicketView]:
    found, cursor = list[TicketView](), None
    while True:
        listing = desk.search(wanted, limit=limit, cursor=cursor)
        found += listing.items
        if (cursor := listing.next_cursor) is None:
            return found


def keys(desk: TicketDesk, wanted: Wanted = Wanted()) -> list[str]:  # noqa: B008 - frozen
    return [ticket.key for ticket in all_pages(desk, wanted, limit=100)]


def test_a_new_ticket_is_what_its_reporter_said_and_open(desk_of: DeskOf) -> None:
    alice = desk_of("alice")
    created = alice.create(DRAFT)
    found = alice.get(created.key)
    assert (found.title, found.description, found.type, found.priority) == (
        "Kettle leaks",
        "On the second floor",
        "incident",
        "high",
    )
    assert found.labels == ["kitchen", "water"]
    assert (found.status, found.version, found.assignee_id) == ("open", 1, None)
    assert found.reporter_id == alice.caller.subject
    assert found.created_at == found.updated_at
    assert found.created_at.utcoffset() == timedelta(0)


def test_numbers_go_on_from_the_last_one_in_each_organization(desk_of: DeskOf) -> None:
    created = [desk_of(username).create(DRAFT).key for username in ("alice", "grace", "adam")]
    assert created == ["ACME-13", "GLBX-13", "ACME-14"]


def test_writers_at_the_same_moment_get_different_keys(desk_of: DeskOf) -> None:
    desks = [desk_of("alice") for _ in range(16)]
    with ThreadPoolExecutor(8) as threads:
        created = list(threads.map(lambda desk: desk.create(DRAFT).key, desks))
    assert sorted(created) == sorted(f"ACME-{number}" for number in range(13, 29))


def test_a_viewer_creates_nothing(desk_of: DeskOf) -> None:
    before = keys(desk_of("alice"))
    with pytest.raises(Forbidden):
        desk_of("victor").create(DRAFT)
    assert keys(desk_of("alice")) == before


def test_an_organization_unknown_here_gets_no_ticket(desk_of: DeskOf) -> None:
    alice = desk_of("alice")
    stranger = replace(alice, caller=replace(alice.caller, org_id="org_elsewhere"))
    with pytest.raises(Forbidden, match="keeps no tickets here"):
        stranger.create(DRAFT)


def test_the_last_change_comes_first(desk_of: DeskOf) -> None:
    created = desk_of("alice").create(DRAFT)
    found = all_pages(desk_of("alice"), Wanted(), limit=100)
    assert found[0].key == created.key
    moments = [ticket.updated_at for ticket in found]
    assert moments == sorted(moments, reverse=True)


@pytest.mark.parametrize("limit", [1, 3, 4, 6, 11, 12, 13])
def test_pages_of_any_size_hold_each_ticket_once_and_total_counts_them(desk_of: DeskOf, limit: int) -> None:
    alice = desk_of("alice")
    whole = alice.search(Wanted(), limit=100, cursor=None)
    paged = all_pages(alice, Wanted(), limit=limit)
    assert [ticket.key for ticket in paged] == [ticket.key for ticket in whole.items]
    assert len({ticket.key for ticket in paged}) == whole.total == 12


def test_a_ticket_changed_meanwhile_is_not_shown_twice(desk_of: DeskOf) -> None:
    alice = desk_of("alice")
    first = alice.search(Wanted(), limit=5, cursor=None)
    alice.create(DRAFT)
    second = alice.search(Wanted(), limit=100, cursor=first.next_cursor)
    shown = [ticket.key for ticket in (*first.items, *second.items)]
    assert len(shown) == len(set(shown)) == 12


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("VPN", ["ACME-1"]),
        ("vpn DROPS", ["ACME-1"]),
        ("ÜNÏCÖDÉ", ["ACME-5"]),
        ("acme-12", ["ACME-12"]),
        ("hardware", ["ACME-4", "ACME-2"]),
        ("100%", []),
        ("_", []),
        ("' OR 1=1 --", []),
    ],
)
def test_search_looks_through_key_title_description_and_labels_for_the_text_itself(
    desk_of: DeskOf, query: str, found: list[str]
) -> None:
    assert keys(desk_of("alice"), Wanted(query)) == found


def test_search_by_status_finds_exactly_those(desk_of: DeskOf) -> None:
    alice = desk_of("alice")
    some = all_pages(alice, Wanted(statuses=("pending", "in_progress")), limit=100)
    assert some
    assert {ticket.status for ticket in some} <= {"pending", "in_progress"}
    others = all_pages(alice, Wanted(statuses=("open", "resolved", "closed", "cancelled")), limit=100)
    assert len(some) + len(others) == 12


def test_a_requester_finds_own_tickets_only(desk_of: DeskOf) -> None:
    rita = desk_of("rita")
    seen = all_pages(rita, Wanted(), limit=2)
    assert {ticket.reporter_id for ticket in seen} == {rita.caller.subject}
    hidden = set(keys(desk_of("alice"))) - {ticket.key for ticket in seen}
    for key in hidden:
        with pytest.raises(NotFound):
            rita.get(key)


def test_another_organizations_ticket_looks_like_none(desk_of: DeskOf) -> None:
    texts = []
    for key in ("GLBX-1", "GLBX-4711"):
        with pytest.raises(NotFound) as refused:
            desk_of("alice").get(key)
        texts.append(refused.value.detail.replace(key, "KEY"))
    assert texts[0] == texts[1]
    assert not set(keys(desk_of("alice"))) & set(keys(desk_of("grace")))


def test_a_cursor_of_another_listing_is_refused(desk_of: DeskOf) -> None:
    alice = desk_of("alice")
    cursor = alice.search(Wanted(), limit=1, cursor=None).next_cursor
    for desk, wanted in (
        (alice, Wanted("VPN")),
        (alice, Wanted(statuses=("open",))),
        (desk_of("grace"), Wanted()),
        (desk_of("rita"), Wanted()),
    ):
        with pytest.raises(Invalid, match="cursor"):
            desk.search(wanted, limit=1, cursor=cursor)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.data())
def test_a_cursor_that_was_tampered_with_is_refused(desk_of: DeskOf, data: st.DataObject) -> None:
    alice = desk_of("alice")
    genuine = alice.search(Wanted(), limit=1, cursor=None).next_cursor
    assert genuine is not None
    place = data.draw(st.integers(0, len(genuine) - 1))
    other = data.draw(st.characters().filter(lambda character: character != genuine[place]))
    with pytest.raises(Invalid, match="cursor"):
        alice.search(Wanted(), limit=1, cursor=genuine[:place] + other + genuine[place + 1 :])


@pytest.mark.parametrize(
    "moment",
    [
        datetime.min.replace(tzinfo=timezone(timedelta(hours=23))),
        datetime.max.replace(tzinfo=timezone(-timedelta(hours=23))),
    ],
)
def test_a_cursor_at_a_moment_that_no_ticket_has_is_refused(desk_of: DeskOf, moment: datetime) -> None:
    alice, wanted = desk_of("alice"), Wanted()
    cursor = cursors.seal(_Place(moment, 1), listing=(roles.reach(alice.caller), wanted))
    with pytest.raises(Invalid, match="cursor"):
        alice.search(wanted, limit=1, cursor=cursor)


@pytest.mark.parametrize("seq", [-1, 2**63, 10**30])
def test_a_cursor_after_an_entry_that_cannot_be_is_refused(desk_of: DeskOf, seq: int) -> None:
    alice = desk_of("alice")
    ticket_id = alice.get("ACME-1").id
    for kind, read in (("comments", alice.comments), ("history", alice.history)):
        cursor = cursors.seal(_Seq(seq), listing=(roles.reach(alice.caller), kind, ticket_id))
        with pytest.raises(Invalid, match="cursor"):
            read("ACME-1", limit=1, cursor=cursor)


@given(cursor=st.text())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_a_cursor_made_up_is_refused(desk_of: DeskOf, cursor: str) -> None:
    with pytest.raises(Invalid, match="cursor"):
        desk_of("alice").search(Wanted(), limit=1, cursor=cursor)
