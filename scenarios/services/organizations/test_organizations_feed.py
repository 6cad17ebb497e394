"""The feed of changes: each accepted write once, in the order of commits, for whoever may see it."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from scenarios.services.organizations.desks import NOON, Desks, as_invited, invited, known
from scenarios.services.waking import wakes
from services.organizations.desk import OrganizationDesk
from services.organizations.feed_views import ChangeView, FeedView
from services.organizations.membership import INVITATION_LASTS
from services.shared.feed import change_id
from services.shared.permissions import Caller
from services.shared.problems import Conflict, Forbidden, ProblemError


def new(desk: OrganizationDesk, after: int = 0) -> list[ChangeView]:
    return desk.changes(after, limit=100).items


def ended(page: FeedView) -> int:
    """Where the feed ends; the page tells of nothing else."""
    assert (page.items, page.more) == ([], False)
    return page.position


def test_it_begins_with_the_world(desks: Desks) -> None:
    assert ended(desks("alice").changes(None, limit=50)) == 0
    assert ended(desks("alice").changes(0, limit=50)) == 0


def test_each_kind_of_write_adds_one_change_of_its_own(desks: Desks) -> None:
    adam = desks("adam")
    mira = invited(desks)
    as_invited(desks, mira.id).members.accept()
    adam.members.change_role(mira.id, "viewer", expected_version=2)
    team = adam.teams.create("Plumbers", key=None)
    adam.teams.add_member(team.id, mira.id)
    adam.teams.remove_member(team.id, mira.id)
    adam.members.deactivate(mira.id)
    invited(desks, role="admin")
    assert [
        (change.position, change.type, change.member_id, change.team_id, change.role, change.version)
        for change in new(adam)
    ] == [
        (1, "member.invited", mira.id, None, "agent", 1),
        (2, "member.joined", mira.id, None, "agent", 2),
        (3, "member.role_changed", mira.id, None, "viewer", 3),
        (4, "team.created", None, team.id, None, 1),
        (5, "team.member_added", mira.id, team.id, None, 2),
        (6, "team.member_removed", mira.id, team.id, None, 3),
        (7, "member.deactivated", mira.id, None, "viewer", 4),
        (8, "member.invited", mira.id, None, "admin", 5),
    ]
    assert adam.changes(0, limit=50).position == 8


def test_a_change_tells_who_did_it_when_and_by_what(desks: Desks) -> None:
    adam = desks("adam").office.caller
    caller = replace(adam, client_id="cli", actor="api", trace_id="4bf92f3577b34da6")
    team = desks.of(caller).teams.create("Plumbers", key=None)
    [change] = new(desks("alice"))
    assert change.model_dump() == {
        "position": 1,
        "id": change_id(adam.org_id, 1, NOON),
        "at": NOON,
        "type": "team.created",
        "memberId": None,
        "teamId": team.id,
        "role": None,
        "version": 1,
        "actorId": adam.subject,
        "clientId": "cli",
        "actingId": "api",
        "traceId": "4bf92f3577b34da6",
    }


def test_a_renewed_invitation_is_a_change_and_one_that_stays_as_it_is_is_none(desks: Desks) -> None:
    invited(desks)
    invited(desks)
    assert len(new(desks("adam"))) == 1
    desks.pass_by(INVITATION_LASTS)
    invited(desks)
    assert [(change.type, change.version) for change in new(desks("adam"))] == [
        ("member.invited", 1),
        ("member.invited", 2),
    ]


def test_what_is_refused_or_repeated_or_changes_nothing_is_none(desks: Desks) -> None:
    adam, olivia = desks("adam"), desks("olivia")
    mira = invited(desks, key="once")
    team = adam.teams.create("Plumbers", key="once")
    before = new(adam)
    assert len(before) == 2
    invited(desks, key="once")
    adam.teams.create("Plumbers", key="once")
    alice = known(desks, "alice")
    adam.members.change_role(alice.id, alice.role, expected_version=alice.version)
    desks("alice").members.accept()
    adam.teams.remove_member(team.id, alice.id)
    refusals: list[Callable[[], object]] = [
        lambda: adam.teams.create("plumbers", key=None),
        lambda: adam.members.change_role(alice.id, "viewer", expected_version=alice.version + 7),
        lambda: adam.members.change_role(desks.id("olivia"), "viewer", expected_version=1),
        lambda: olivia.members.deactivate(desks.id("olivia")),
        lambda: adam.teams.add_member("team_nothing", mira.id),
        lambda: desks("alice").teams.create("Mine", key=None),
    ]
    for refusal in refusals:
        with pytest.raises(ProblemError):
            refusal()
    assert new(adam) == before


def test_what_was_done_already_is_none(desks: Desks) -> None:
    adam = desks("adam")
    team = adam.teams.create("Plumbers", key=None)
    for _ in range(2):
        adam.teams.add_member(team.id, desks.id("alice"))
    for _ in range(2):
        adam.teams.remove_member(team.id, desks.id("alice"))
    for _ in range(2):
        adam.members.deactivate(desks.id("alice"))
    assert [change.type for change in new(adam)] == [
        "team.created",
        "team.member_added",
        "team.member_removed",
        "member.deactivated",
    ]


@pytest.mark.parametrize("how", ["unreachable", "lost", "refusing"])
def test_what_the_provider_does_not_confirm_is_none(desks: Desks, how: str) -> None:
    with desks.provider.failing(how), pytest.raises(ProblemError):
        invited(desks)
    assert new(desks("adam")) == []


def test_positions_have_no_gap_however_many_write(desks: Desks) -> None:
    with ThreadPoolExecutor(6) as threads:
        list(threads.map(lambda number: desks("adam").teams.create(f"Team {number}", key=None), range(12)))
    assert [change.position for change in new(desks("adam"))] == list(range(1, 13))


def test_a_requester_is_told_of_themselves_and_moves_past_the_rest(desks: Desks) -> None:
    adam, rita = desks("adam"), desks("rita")
    team = adam.teams.create("Plumbers", key=None)
    adam.teams.add_member(team.id, desks.id("alice"))
    adam.teams.add_member(team.id, desks.id("rita"))
    invited(desks)
    feed = rita.changes(0, limit=50)
    assert [(change.position, change.type, change.member_id) for change in feed.items] == [
        (3, "team.member_added", desks.id("rita"))
    ]
    assert (feed.position, feed.more) == (4, False)


def test_organizations_have_feeds_of_their_own(desks: Desks) -> None:
    desks("adam").teams.create("Plumbers", key=None)
    grace = desks("grace")
    assert ended(grace.changes(None, limit=50)) == 0
    for position in (1, 2**53 - 1):
        with pytest.raises(Conflict, match="ends at 0"):
            grace.changes(position, limit=50)


def test_a_commit_wakes_who_waits_in_its_organization(desks: Desks) -> None:
    adam, grace = desks("adam").office.caller.org_id, desks("grace").office.caller.org_id
    assert wakes(desks.database, adam, lambda: invited(desks))
    assert wakes(desks.database, adam, lambda: desks("adam").teams.create("Plumbers", key=None))
    assert not wakes(desks.database, adam, lambda: invited(desks))
    assert not wakes(desks.database, grace, lambda: desks("adam").teams.create("Others", key=None))


def test_who_may_not_read_members_or_is_none_any_more_reads_no_feed(desks: Desks) -> None:
    alice = desks("alice").office.caller
    with pytest.raises(Forbidden):
        desks.of(Caller(alice.subject, alice.org_id, alice.roles, frozenset({"orgs:write"}))).changes(0, limit=50)
    mira = as_invited(desks, invited(desks).id)
    with pytest.raises(Forbidden, match="accept_invitation"):
        mira.changes(0, limit=50)
    desks("adam").members.deactivate(alice.subject)
    with pytest.raises(Forbidden, match="deactivated"):
        desks("alice").changes(0, limit=50)
