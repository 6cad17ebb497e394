"""Who is invited, changed and deactivated at the desk, and what the identity provider hears of it."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from scenarios.services.organizations.desks import (
    MIRA,
    NOON,
    Desks,
    as_invited,
    everybody,
    invited,
    known,
    standings,
    usernames,
)
from services.organizations import turn
from services.organizations.membership import INVITATION_LASTS
from services.organizations.repository import Wanted
from services.organizations.tables import Member
from services.organizations.views import VersionedMemberView
from services.shared.problems import BadGateway, Conflict, Forbidden, ProblemError, Unavailable


def test_whoever_is_invited_is_known_here_and_inactive_at_the_provider(desks: Desks) -> None:
    mira = invited(desks)
    assert (mira.status, mira.role, mira.email, mira.version) == ("invited", "agent", MIRA, 1)
    assert mira.invitation is not None
    assert (mira.invitation.expires_at, mira.invitation.expired) == (NOON + INVITATION_LASTS, False)
    account = desks.provider.accounts[mira.id]
    assert (account.org_id, account.role, account.active) == (desks.person("adam")[0].id, "agent", False)
    assert desks("victor").members.get(None, MIRA.upper()).id == mira.id


def test_whoever_is_invited_can_only_look_who_they_are_until_they_accept(desks: Desks) -> None:
    mira = as_invited(desks, invited(desks).id)
    assert mira.whoami().member.status == "invited"
    for use in (lambda: usernames(mira), mira.organization, lambda: mira.teams.list(limit=1, cursor=None)):
        with pytest.raises(Forbidden, match="accept_invitation"):
            use()
    assert mira.members.accept().status == "active"
    assert f"acme:{MIRA}" in usernames(mira)


def test_an_invitation_can_be_accepted_for_a_week_and_again_when_it_was_renewed(desks: Desks) -> None:
    first = invited(desks)
    mira = as_invited(desks, first.id)
    desks.pass_by(INVITATION_LASTS)
    with pytest.raises(Conflict, match="expired"):
        mira.members.accept()
    seen = VersionedMemberView.of_known(desks("victor").members.get(first.id, None), at=desks.at)
    assert seen.invitation is not None
    assert seen.invitation.expired
    again = invited(desks, role="viewer")
    assert (again.id, again.version, again.role) == (first.id, 2, "viewer")
    desks.pass_by(INVITATION_LASTS - timedelta(seconds=1))
    accepted = mira.members.accept()
    assert (accepted.status, accepted.role, accepted.version) == ("active", "viewer", 3)
    assert mira.members.accept().version == 3


def test_an_active_member_is_not_invited_whatever_the_case_of_letters(desks: Desks) -> None:
    for email in ("rita@acme.example", "Rita@ACME.example"):
        with pytest.raises(Conflict, match="active member already"):
            invited(desks, email)
    assert desks.provider.changes == []


def test_whoever_was_deactivated_is_asked_back_under_the_same_id(desks: Desks) -> None:
    desks("adam").members.deactivate(desks.id("alice"))
    back = invited(desks, "alice@acme.example", "viewer")
    assert (back.id, back.status, back.role, back.version) == (desks.id("alice"), "invited", "viewer", 3)
    assert desks.provider.accounts[back.id].active is False


def test_the_same_address_in_two_organizations_is_two_members_and_neither_tells_of_the_other(desks: Desks) -> None:
    here, there = invited(desks), desks("gustav").members.invite(MIRA, "agent", key=None)
    assert here.id != there.id
    assert (here.username, there.username) == (f"acme:{MIRA}", f"globex:{MIRA}")
    grace = desks("adam").members.invite("grace@globex.example", "agent", key=None)
    assert grace.id != desks.id("grace")
    assert desks.provider.accounts[desks.id("grace")].active


@pytest.mark.parametrize(
    ("who", "role"), [("adam", "owner"), ("alice", "viewer"), ("victor", "viewer"), ("rita", "viewer")]
)
def test_only_admins_invite_and_only_owners_owners(desks: Desks, who: str, role: Any) -> None:
    with pytest.raises(Forbidden):
        desks(who).members.invite(MIRA, role, key=None)
    assert desks.provider.changes == []
    assert MIRA not in [member.email for member in everybody(desks("olivia"))]


def test_an_admin_does_not_take_an_owners_invitation_away(desks: Desks) -> None:
    desks("olivia").members.invite(MIRA, "owner", key=None)
    with pytest.raises(Forbidden):
        invited(desks, role="viewer")
    assert desks("olivia").members.invite(MIRA, "viewer", key=None).role == "viewer"


def test_whoever_is_deactivated_is_still_named_and_can_do_nothing(desks: Desks) -> None:
    gone = desks("adam").members.deactivate(desks.id("alice"))
    assert (gone.status, gone.version) == ("inactive", 2)
    assert desks.provider.accounts[gone.id].active is False
    alice = desks("alice")
    for use in (alice.whoami, alice.organization, lambda: usernames(alice), alice.members.accept):
        with pytest.raises(Forbidden, match="deactivated"):
            use()
    assert usernames(desks("victor"), Wanted(status="inactive")) == ["alice"]
    assert desks("victor").members.get(gone.id, None).name == "Alice Anders"


def test_deactivating_twice_is_told_twice_and_changes_nothing(desks: Desks) -> None:
    adam = desks("adam")
    once = adam.members.deactivate(desks.id("alice"))
    desks.provider.accounts[once.id].active = True
    assert adam.members.deactivate(once.id).version == once.version
    assert desks.provider.accounts[once.id].active is False


def test_the_last_owner_stays_and_any_other_may_go(desks: Desks) -> None:
    olivia = desks("olivia")
    with pytest.raises(Conflict, match="needs an active owner"):
        olivia.members.deactivate(desks.id("olivia"))
    with pytest.raises(Conflict, match="needs an active owner"):
        olivia.members.may_deactivate(desks.id("olivia"))
    olivia.members.change_role(desks.id("adam"), "owner", expected_version=1)
    olivia.members.deactivate(desks.id("olivia"))
    with pytest.raises(Forbidden):
        olivia.members.deactivate(desks.id("adam"))
    assert known_owners(desks) == ["adam"]


def known_owners(desks: Desks) -> list[str]:
    return usernames(desks("victor"), Wanted(role="owner", status="active"))


def test_a_token_changes_nothing_that_the_present_role_may_not(desks: Desks) -> None:
    team = desks("adam").teams.create("Network", key=None)
    invited(desks, key="k")
    desks("olivia").members.change_role(desks.id("adam"), "viewer", expected_version=1)
    adam, rita, told = desks("adam", role="admin"), desks.id("rita"), len(desks.provider.asked)
    before = standings(desks)
    attempts: list[Callable[[], object]] = [
        lambda: adam.members.change_role(desks.id("adam"), "admin", expected_version=2),
        lambda: adam.members.may_change_role(rita, "agent", expected_version=1),
        lambda: adam.members.deactivate(rita),
        lambda: adam.members.may_deactivate(rita),
        lambda: adam.members.invite(MIRA, "agent", key="k"),
        lambda: adam.teams.create("Desk", key=None),
        lambda: adam.teams.add_member(team.id, rita),
        lambda: adam.teams.remove_member(team.id, rita),
        lambda: adam.teams.may_remove_member(team.id, rita),
    ]
    for attempt in attempts:
        with pytest.raises(Forbidden, match=r"The role viewer may not .*: sign in again"):
            attempt()
    assert standings(desks) == before
    assert len(desks.provider.asked) == told
    assert desks("adam", role="admin").members.get(rita, None).id == rita


def test_a_former_owner_touches_no_owner_and_a_new_one_only_with_a_new_token(desks: Desks) -> None:
    desks("olivia").members.change_role(desks.id("adam"), "owner", expected_version=1)
    with pytest.raises(Forbidden, match="The role admin may not make somebody an owner"):
        desks("adam", role="admin").members.deactivate(desks.id("olivia"))
    assert desks("adam", role="admin").members.deactivate(desks.id("alice")).status == "inactive"
    desks("adam", role="owner").members.change_role(desks.id("olivia"), "admin", expected_version=1)
    with pytest.raises(Forbidden, match="sign in again"):
        desks("olivia", role="owner").members.invite(MIRA, "owner", key=None)


def test_two_owners_who_deactivate_each_other_at_once_do_not_both_succeed(desks: Desks) -> None:
    desks("olivia").members.change_role(desks.id("adam"), "owner", expected_version=1)
    pairs = [("olivia", "adam"), ("adam", "olivia")]

    def attempt(pair: tuple[str, str]) -> bool:
        try:
            desks(pair[0], role="owner").members.deactivate(desks.id(pair[1]))
        except ProblemError:
            return False
        return True

    with ThreadPoolExecutor(2) as threads:
        assert sorted(threads.map(attempt, pairs)) == [False, True]
    assert len(known_owners(desks)) == 1


def role_change(desks: Desks) -> None:
    desks("olivia").members.change_role(desks.id("rita"), "agent", expected_version=known(desks, "rita").version)


def deactivation(desks: Desks) -> None:
    desks("olivia").members.deactivate(desks.id("rita"))


def invitation(desks: Desks) -> None:
    invited(desks, key="k")


def renewal(desks: Desks) -> None:
    desks.pass_by(timedelta(hours=1))
    invited(desks, role="viewer")


@pytest.mark.parametrize("change", [role_change, deactivation, invitation, renewal])
@pytest.mark.parametrize(
    ("failure", "problem"), [("unreachable", Unavailable), ("lost", Unavailable), ("refusing", BadGateway)]
)
def test_what_the_provider_does_not_confirm_is_not_stored_and_the_same_call_puts_both_in_step(
    desks: Desks, change: Callable[[Desks], None], failure: str, problem: type[ProblemError]
) -> None:
    if change is renewal:
        invited(desks)
    before = standings(desks)
    with desks.provider.failing(failure), pytest.raises(problem):
        change(desks)
    assert standings(desks) == before
    change(desks)
    after = standings(desks)
    assert len(after.items() - before.items()) == 1
    for member_id, (role, status, _) in after.items():
        account = desks.provider.accounts[member_id]
        assert (account.role, account.active) == (role, status == "active")


@pytest.mark.parametrize("change", [role_change, deactivation, invitation, renewal])
def test_others_read_and_write_while_the_provider_thinks_about_it(
    desks: Desks, change: Callable[[Desks], None]
) -> None:
    if change is renewal:
        invited(desks)
    seen = standings(desks)

    def meanwhile() -> None:
        assert standings(desks) == seen
        desks("gustav").teams.create("Meanwhile", key=None)
        desks("gustav").members.deactivate(desks.id("grace"))
        desks("adam").teams.create("Meanwhile", key=None)

    desks.provider.meanwhile = meanwhile
    change(desks)
    assert len(standings(desks).items() - seen.items()) == 1
    assert [team.name for team in desks("adam").teams.list(limit=1, cursor=None).listing.page.items] == ["Meanwhile"]
    assert desks.provider.accounts[desks.id("grace")].active is False


def stored(desks: Desks, username: str, **columns: Any) -> None:
    """As another process of the service would store it, one that has its turn for itself."""
    with desks.database.writing() as session:
        member = session.get_one(Member, (desks.person(username)[0].id, desks.id(username)))
        for name, value in (columns | {"version": member.version + 1}).items():
            setattr(member, name, value)


def reinvitation(desks: Desks) -> None:
    desks("adam").members.invite("rita@acme.example", "agent", key=None)


@pytest.mark.parametrize(
    ("change", "first", "meanwhile"),
    [
        (role_change, {}, {"role": "viewer"}),
        (role_change, {}, {"status": "inactive"}),
        (deactivation, {}, {"role": "viewer"}),
        (reinvitation, {"status": "inactive"}, {"status": "active"}),
        (reinvitation, {"status": "inactive"}, {"role": "viewer"}),
        (reinvitation, {"status": "inactive"}, {"status": "invited", "role": "viewer"}),
    ],
)
def test_what_another_process_stored_meanwhile_stands_here_and_at_the_provider(
    desks: Desks, change: Callable[[Desks], None], first: dict[str, Any], meanwhile: dict[str, Any]
) -> None:
    stored(desks, "rita", **first)
    desks.provider.meanwhile = lambda: stored(desks, "rita", **meanwhile)
    with pytest.raises(Conflict):
        change(desks)
    wanted = {"role": "requester", "status": "active"} | first | meanwhile
    rita, account = known(desks, "rita"), desks.provider.accounts[desks.id("rita")]
    assert {"role": rita.role, "status": rita.status, "version": rita.version} == wanted | {"version": 3}
    assert (account.role, account.active) == (rita.role, rita.status == "active")


@pytest.mark.parametrize("change", [role_change, deactivation, invitation])
def test_whoever_is_demoted_while_the_provider_thinks_about_it_changes_nothing(
    desks: Desks, change: Callable[[Desks], None]
) -> None:
    who = "adam" if change is invitation else "olivia"
    desks.provider.meanwhile = lambda: stored(desks, who, role="viewer")
    with pytest.raises(Forbidden, match="sign in again"):
        change(desks)
    rita = known(desks, "rita")
    assert (rita.role, rita.status) == ("requester", "active")
    assert desks.provider.accounts[rita.id].role == "requester"
    assert desks.provider.accounts[rita.id].active
    assert MIRA not in [member.email for member in everybody(desks("victor"))]


@pytest.mark.parametrize(
    ("patience_s", "most_waiting", "why"), [(0.01, 4, "slow to confirm"), (60.0, 0, "too many")], ids=["time", "number"]
)
def test_nobody_waits_for_ever_for_a_slow_provider_and_other_organizations_do_not_wait(
    desks: Desks, monkeypatch: pytest.MonkeyPatch, patience_s: float, most_waiting: int, why: str
) -> None:
    monkeypatch.setattr(turn, "PATIENCE_S", patience_s)
    monkeypatch.setattr(turn, "MOST_WAITING", most_waiting)
    before = known(desks, "alice")

    def meanwhile() -> None:
        with pytest.raises(Unavailable, match=why) as refused:
            desks("adam").members.deactivate(before.id)
        assert "Repeat the same call" in refused.value.detail
        desks("gustav").members.deactivate(desks.id("grace"))

    desks.provider.meanwhile = meanwhile
    role_change(desks)
    assert known(desks, "alice").version == before.version
    assert known(desks, "rita").role == "agent"
    assert desks("adam").members.deactivate(before.id).status == "inactive"


def test_whom_the_provider_knows_in_another_organization_only_is_changed_nowhere(desks: Desks) -> None:
    desks.provider.accounts[desks.id("rita")].org_id = "org_other"
    before = known(desks, "rita")
    for change in (role_change, deactivation):
        with pytest.raises(BadGateway):
            change(desks)
        rita, account = known(desks, "rita"), desks.provider.accounts[desks.id("rita")]
        assert (rita.role, rita.status, rita.version) == ("requester", "active", before.version)
        assert (account.role, account.active) == ("requester", True)
