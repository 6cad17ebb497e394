"""What a write promises, one by one: on a real database, without a server."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial

import pytest

from services.shared.problems import Conflict, Forbidden, Invalid, NotFound, ProblemError
from services.ticketing.desk import Draft, TicketDesk
from services.ticketing.views import EntryView
from services.ticketing.workflow import Status

DeskOf = Callable[..., TicketDesk]
DRAFT = Draft("Kettle leaks", "On the second floor", "incident", "urgent", ("kitchen",))


def entries(desk: TicketDesk, key: str) -> list[EntryView]:
    return desk.get(key, frozenset({"history"})).history or []


def said(desk: TicketDesk, key: str) -> list[str]:
    return [comment.body for comment in desk.get(key, frozenset({"comments"})).comments or []]


def refused(kind: type[ProblemError], act: Callable[[], object]) -> ProblemError:
    with pytest.raises(kind) as caught:
        act()
    return caught.value


def test_of_writers_who_read_the_same_version_exactly_one_wins(desk_of: DeskOf) -> None:
    desks = [desk_of(username) for username in ("alice", "adam", "olivia") * 4]
    version = desks[0].get("ACME-2").version

    def write(desk: TicketDesk) -> str:
        try:
            desk.update("ACME-2", {"title": f"By {desk.caller.subject} {id(desk)}"}, expected_version=version)
        except Conflict:
            return "lost"
        return "won"

    with ThreadPoolExecutor(6) as threads:
        outcomes = list(threads.map(write, desks))
    assert sorted(outcomes) == ["lost"] * 11 + ["won"]
    assert desks[0].get("ACME-2").version == version + 1


def test_comments_at_the_same_moment_are_all_there_and_leave_no_gap(desk_of: DeskOf) -> None:
    before = said(desk_of("alice"), "ACME-2")
    version = desk_of("alice").get("ACME-2").version
    with ThreadPoolExecutor(6) as threads:
        list(threads.map(lambda number: desk_of("alice").comment("ACME-2", f"No. {number}"), range(12)))
    assert len(said(desk_of("alice"), "ACME-2")) == len(before) + 12
    assert [entry.seq for entry in entries(desk_of("alice"), "ACME-2")] == list(range(1, version + 13))


def test_a_conflict_names_the_present_version_and_an_illegal_way_the_legal_ones(desk_of: DeskOf) -> None:
    alice = desk_of("alice")
    version = alice.get("ACME-2").version
    stale = refused(Conflict, lambda: alice.update("ACME-2", {"title": "x"}, expected_version=version + 7))
    assert f"at version {version}, not {version + 7}" in stale.detail
    assert [(flaw.pointer, flaw.detail) for flaw in stale.errors or ()] == [
        ("arguments.expected_version", f"The present version is {version}.")
    ]
    illegal = refused(Conflict, lambda: alice.transition("ACME-2", "closed"))
    assert "in_progress, pending, resolved, cancelled" in illegal.detail


@pytest.mark.parametrize("done", ["resolved", "closed", "cancelled"])
def test_a_ticket_that_is_done_keeps_its_priority(desk_of: DeskOf, done: Status) -> None:
    adam = desk_of("adam")
    key = adam.create(DRAFT).key
    if done == "closed":
        adam.transition(key, "resolved", resolution="Fixed")
    version = adam.transition(key, done, resolution="Fixed" if done == "resolved" else None).version
    with pytest.raises(Conflict, match="done keeps its priority"):
        adam.update(key, {"priority": "low", "title": "Other"}, expected_version=version)
    same = adam.update(key, {"priority": DRAFT.priority, "title": "Other"}, expected_version=version)
    assert (same.title, same.priority, same.version) == ("Other", DRAFT.priority, version + 1)


def test_a_reopened_ticket_can_have_another_priority(desk_of: DeskOf) -> None:
    adam = desk_of("adam")
    key = adam.create(DRAFT).key
    adam.transition(key, "resolved", resolution="Fixed")
    adam.transition(key, "open")
    assert adam.update(key, {"priority": "low"}, expected_version=3).priority == "low"


def test_a_resolved_ticket_tells_how_and_a_reopened_one_does_not(desk_of: DeskOf) -> None:
    alice, rita = desk_of("alice"), desk_of("rita")
    key = rita.create(DRAFT).key
    resolved = alice.transition(key, "resolved", resolution="New seal", comment="Try it now")
    assert (resolved.resolution, resolved.status_category, resolved.resolved_at) == (
        "New seal",
        "done",
        resolved.updated_at,
    )
    assert resolved.sla.state == "met"
    reopened = rita.transition(key, "open", comment="It drips")
    assert (reopened.resolution, reopened.resolved_at, reopened.version) == (None, None, 3)
    assert said(rita, key) == ["Try it now", "It drips"]
    assert [(change.field, change.before, change.after) for change in entries(rita, key)[2].changes] == [
        ("status", "resolved", "open"),
        ("resolution", "New seal", None),
    ]


def test_what_is_said_internally_never_gets_to_the_requester(desk_of: DeskOf) -> None:
    alice, rita = desk_of("alice"), desk_of("rita")
    key = rita.create(DRAFT).key
    alice.comment(key, "She always spills it", "internal")
    alice.comment(key, "We are on it", "public")
    assert said(rita, key) == ["We are on it"]
    page = rita.comments(key, limit=10, cursor=None)
    assert ([comment.body for comment in page.items], page.total) == (["We are on it"], 1)
    told = rita.history(key, limit=10, cursor=None)
    assert ([entry.seq for entry in told.items], told.total) == ([1, 3], 2)
    assert [entry.seq for entry in entries(rita, key)] == [1, 3]
    assert alice.comments(key, limit=10, cursor=None).total == 2
    refused(Forbidden, lambda: rita.comment(key, "Among us", "internal"))


def test_only_who_works_on_tickets_here_can_be_given_one(desk_of: DeskOf) -> None:
    alice = desk_of("alice")
    strangers = [desk_of(name).caller.subject for name in ("rita", "victor", "grace")]
    texts = {
        refused(Invalid, partial(alice.assign, "ACME-2", user_id)).detail.replace(user_id, "ID")
        for user_id in (*strangers, "usr_nobody")
    }
    assert len(texts) == 1
    assert alice.assign("ACME-2", desk_of("adam").caller.subject).assignee_id == desk_of("adam").caller.subject
    assert alice.assign("ACME-2", None).assignee_id is None


def test_whoever_has_written_here_can_be_given_a_ticket_with_the_roles_they_have_now(desk_of: DeskOf) -> None:
    alice = desk_of("alice")
    newcomer = replace(alice, caller=replace(alice.caller, subject="usr_new"))
    refused(Invalid, lambda: alice.assign("ACME-2", "usr_new"))
    newcomer.comment("ACME-2", "Hello")
    assert alice.assign("ACME-2", "usr_new").assignee_id == "usr_new"
    demoted = replace(newcomer, caller=replace(newcomer.caller, roles=frozenset({"requester"})))
    demoted.create(DRAFT)
    refused(Invalid, lambda: alice.assign("ACME-1", "usr_new"))


def test_several_tickets_are_moved_all_or_none(desk_of: DeskOf) -> None:
    alice = desk_of("alice")
    first, second = alice.create(DRAFT).key, alice.create(DRAFT).key
    alice.transition(second, "cancelled")
    missing = refused(NotFound, lambda: alice.bulk_transition([first, "GLBX-1", "ACME-4711"], "pending"))
    assert [flaw.pointer for flaw in missing.errors or ()] == ["arguments.keys.1", "arguments.keys.2"]
    illegal = refused(Conflict, lambda: alice.bulk_transition([first, second], "pending"))
    assert [flaw.pointer for flaw in illegal.errors or ()] == ["arguments.keys.1"]
    assert alice.get(first).version == 1
    refused(Conflict, lambda: alice.movable([first, second], "pending"))
    unsettled = refused(Invalid, lambda: alice.bulk_transition([first], "resolved"))
    assert [flaw.pointer for flaw in unsettled.errors or ()] == ["arguments.resolution"]
    moved = alice.bulk_transition([first, first, "ACME-2"], "resolved", resolution="Moved out")
    assert [(ticket.key, ticket.status) for ticket in moved.items] == [(first, "resolved"), ("ACME-2", "resolved")]
    assert alice.get(first).version == 2


def test_a_deleted_ticket_is_gone_and_its_number_is_never_given_out_again(desk_of: DeskOf) -> None:
    adam = desk_of("adam")
    key = adam.create(DRAFT).key
    adam.comment(key, "Gone soon")
    refused(Forbidden, lambda: desk_of("alice").delete(key, expected_version=2))
    refused(Conflict, lambda: adam.delete(key, expected_version=1))
    assert adam.deletable(key, expected_version=2)[1] == 1
    adam.delete(key, expected_version=2)
    for gone in (lambda: adam.get(key), lambda: adam.delete(key, expected_version=2), lambda: adam.comment(key, "?")):
        refused(NotFound, gone)
    assert adam.create(DRAFT).key != key


def test_the_same_call_with_the_same_key_is_done_once_and_told_alike(desk_of: DeskOf) -> None:
    alice = desk_of("alice")
    created = [alice.create(DRAFT, idempotency_key="k") for _ in range(3)]
    assert created[0] == created[1] == created[2]
    told = [alice.comment(created[0].key, "Once", idempotency_key="k") for _ in range(2)]
    assert told[0] == told[1]
    assert alice.comments(created[0].key, limit=9, cursor=None).total == 1
    refused(Invalid, lambda: alice.comment(created[0].key, "Twice", idempotency_key="k"))
    assert desk_of("adam").create(DRAFT, idempotency_key="k").key != created[0].key


@pytest.mark.parametrize("act", ["update", "assign", "transition", "comment", "delete", "bulk_transition"])
def test_no_write_tells_another_organizations_ticket_from_none(desk_of: DeskOf, act: str) -> None:
    adam = desk_of("adam")
    calls: dict[str, Callable[[str], object]] = {
        "update": lambda key: adam.update(key, {"title": "x"}, expected_version=1),
        "assign": lambda key: adam.assign(key, None),
        "transition": lambda key: adam.transition(key, "pending"),
        "comment": lambda key: adam.comment(key, "x"),
        "delete": lambda key: adam.delete(key, expected_version=1),
        "bulk_transition": lambda key: adam.bulk_transition([key], "pending"),
    }
    texts = {refused(NotFound, partial(calls[act], key)).detail.replace(key, "KEY") for key in ("GLBX-1", "GLBX-4711")}
    assert len(texts) == 1


def test_an_entry_tells_who_did_it_for_whom_by_what(desk_of: DeskOf) -> None:
    alice = desk_of("alice")
    through = replace(alice, caller=replace(alice.caller, client_id="web", actor="api", trace_id="4bf92f"))
    through.comment("ACME-2", "By the web")
    entry = entries(alice, "ACME-2")[-1]
    assert (entry.actor.sub, entry.actor.act, entry.actor.client_id, entry.trace_id) == (
        alice.caller.subject,
        "api",
        "web",
        "4bf92f",
    )


def test_pages_of_comments_and_history_hold_each_once_whoever_writes_meanwhile(desk_of: DeskOf) -> None:
    alice = desk_of("alice")
    key = alice.create(DRAFT).key
    for number in range(5):
        alice.comment(key, f"No. {number}")
    first = alice.comments(key, limit=2, cursor=None)
    alice.comment(key, "No. 5")
    second = alice.comments(key, limit=9, cursor=first.next_cursor)
    assert [comment.body for comment in (*first.items, *second.items)] == [f"No. {number}" for number in range(6)]
    assert (first.total, second.total, second.next_cursor) == (5, 6, None)
    cursor = alice.history(key, limit=2, cursor=None).next_cursor
    assert [entry.seq for entry in alice.history(key, limit=2, cursor=cursor).items] == [3, 4]
    refused(Invalid, lambda: alice.comments(key, limit=2, cursor=cursor))
