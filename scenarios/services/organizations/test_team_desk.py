"""Teams at the desk, and calls that are sent again."""

from __future__ import annotations

import pytest

from scenarios.services.organizations.desks import Desks, as_invited, invited
from services.shared.problems import Conflict, Invalid


def test_a_team_is_filled_and_emptied_and_doing_so_twice_is_once(desks: Desks) -> None:
    adam, rita = desks("adam"), desks.id("rita")
    team = adam.teams.create("Network", key=None)
    assert (team.display_name, team.members, team.version) == ("Network", [], 1)
    for _ in range(2):
        filled = adam.teams.add_member(team.id, rita)
        assert ([member.username for member in filled.members], filled.version) == (["rita"], 2)
    for _ in range(2):
        emptied = adam.teams.remove_member(team.id, rita)
        assert (emptied.members, emptied.version) == ([], 3)


def test_no_two_teams_have_the_same_name_and_other_organizations_do_not_count(desks: Desks) -> None:
    team = desks("adam").teams.create("Straße", key=None)
    with pytest.raises(Conflict, match=team.id):
        desks("olivia").teams.create("STRASSE", key=None)
    assert desks("gustav").teams.create("Straße", key=None).id != team.id


def test_whoever_was_deactivated_joins_no_team_and_stays_in_the_ones_they_were_in(desks: Desks) -> None:
    adam, alice = desks("adam"), desks.id("alice")
    first, second = (adam.teams.create(name, key=None).id for name in ("First", "Second"))
    adam.teams.add_member(first, alice)
    adam.members.deactivate(alice)
    with pytest.raises(Conflict, match="deactivated"):
        adam.teams.add_member(second, alice)
    assert [member.status for member in adam.teams.get(first).members] == ["inactive"]
    assert adam.teams.remove_member(first, alice).members == []


def test_teams_come_page_by_page_by_name(desks: Desks) -> None:
    adam = desks("adam")
    made = {name: adam.teams.create(name, key=None).id for name in ("b", "a", "d", "c")}
    first = adam.teams.list(limit=3, cursor=None)
    second = adam.teams.list(limit=3, cursor=first.listing.next_cursor)
    assert [team.name for team in (*first.listing.page.items, *second.listing.page.items)] == ["a", "b", "c", "d"]
    assert (first.listing.page.total, second.listing.next_cursor) == (4, None)
    assert first.sizes == {}
    adam.teams.add_member(made["a"], desks.id("rita"))
    assert adam.teams.list(limit=1, cursor=None).sizes == {made["a"]: 1}


def test_a_call_sent_again_with_its_key_is_done_once_and_answered_as_before(desks: Desks) -> None:
    first = invited(desks, key="k")
    as_invited(desks, first.id).members.accept()
    assert invited(desks, key="k") == first
    adam = desks("adam")
    team = adam.teams.create("Network", key="k")
    adam.teams.add_member(team.id, desks.id("rita"))
    assert adam.teams.create("Network", key="k") == team
    assert desks.provider.changes == ["POST"]


def test_a_key_is_for_one_call_of_one_caller(desks: Desks) -> None:
    team = desks("adam").teams.create("Network", key="k")
    with pytest.raises(Invalid) as refused:
        desks("adam").teams.create("Other", key="k")
    assert [flaw.pointer for flaw in refused.value.errors or ()] == ["arguments.idempotency_key"]
    with pytest.raises(Conflict):
        desks("olivia").teams.create("Network", key="k")
    assert desks("gustav").teams.create("Network", key="k").id != team.id
