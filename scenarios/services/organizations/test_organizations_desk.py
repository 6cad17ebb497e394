"""What the desk shows, to whom, and of which organization: on a real database and without a server."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import update

from scenarios.services.organizations.desks import (
    MIRA,
    Desks,
    as_invited,
    everybody,
    invited,
    known,
    lay,
    standings,
    usernames,
)
from services.organizations.repository import Wanted
from services.organizations.tables import Base, Member, Organization
from services.shared.database import connected
from services.shared.mcp import cursor as cursors
from services.shared.problems import Conflict, Forbidden, Invalid, NotFound, ProblemError


def suspend(desks: Desks, username: str) -> None:
    theirs = Organization.id == desks.person(username)[0].id
    with desks.database.writing() as session:
        session.execute(update(Organization).where(theirs).values(status="suspended"))


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 5, 6])
def test_pages_of_any_size_hold_each_member_once(desks: Desks, limit: int) -> None:
    found = [member.username for member in everybody(desks("victor"), limit=limit)]
    assert found == ["adam", "alice", "olivia", "rita", "victor"]


def test_members_are_filtered_by_role_and_status_and_text_at_once(desks: Desks) -> None:
    invited(desks, role="viewer")
    olivia = desks("olivia")
    assert usernames(olivia, Wanted(role="viewer")) == ["victor", f"acme:{MIRA}"]
    assert usernames(olivia, Wanted(role="viewer", status="active")) == ["victor"]
    assert usernames(olivia, Wanted(status="invited", query="PARTNER")) == [f"acme:{MIRA}"]
    assert usernames(olivia, Wanted(status="inactive")) == []


@pytest.mark.parametrize("at", ["\0", "usr_\0", "usr_nobody"])
def test_a_cursor_at_what_cannot_be_is_refused(desks: Desks, at: str) -> None:
    victor = desks("victor")
    reach = victor.office.reach
    with pytest.raises(Invalid, match="cursor"):
        victor.members.list(Wanted(), limit=1, cursor=cursors.seal(at, listing=("members", reach, Wanted())))
    with pytest.raises(Invalid, match="cursor"):
        victor.teams.list(limit=1, cursor=cursors.seal(at, listing=("teams", reach)))


def test_a_cursor_goes_with_its_filter(desks: Desks) -> None:
    victor = desks("victor")
    cursor = victor.members.list(Wanted(), limit=1, cursor=None).next_cursor
    with pytest.raises(Invalid):
        victor.members.list(Wanted(status="active"), limit=1, cursor=cursor)
    with pytest.raises(Invalid):
        victor.teams.list(limit=1, cursor=cursor)


def test_a_member_is_looked_up_by_id_or_by_email_in_any_case(desks: Desks) -> None:
    victor, rita = desks("victor"), desks.id("rita")
    assert victor.members.get(rita, None).username == "rita"
    assert victor.members.get(None, "RITA@Acme.example").id == rita


@pytest.mark.parametrize("both", [True, False])
def test_a_member_is_looked_up_by_exactly_one_thing(desks: Desks, both: bool) -> None:
    given = (desks.id("rita"), "rita@acme.example") if both else (None, None)
    with pytest.raises(Invalid) as refused:
        desks("victor").members.get(*given)
    assert [flaw.pointer for flaw in refused.value.errors or ()] == ["arguments.user_id", "arguments.email"]


def test_a_requester_sees_themselves_and_the_teams_they_are_in_with_themselves_alone(desks: Desks) -> None:
    adam, rita = desks("adam"), desks("rita")
    with_rita, without = adam.teams.create("With", key=None), adam.teams.create("Without", key=None)
    adam.teams.add_member(with_rita.id, desks.id("rita"))
    adam.teams.add_member(with_rita.id, desks.id("alice"))
    assert usernames(rita) == ["rita"]
    found = rita.teams.list(limit=10, cursor=None)
    assert ([team.id for team in found.listing.page.items], found.sizes) == ([with_rita.id], {with_rita.id: 1})
    assert [member.username for member in rita.teams.get(with_rita.id).members] == ["rita"]
    with pytest.raises(NotFound):
        rita.teams.get(without.id)
    with pytest.raises(NotFound):
        rita.members.get(None, "alice@acme.example")
    assert list(rita.members.emails_from("", limit=10)) == ["rita@acme.example"]
    assert list(rita.teams.ids_from("", limit=10)) == [with_rita.id]
    overview = rita.organization()
    assert (overview.members, overview.teams) == (1, 1)


def test_emails_and_teams_are_completed_by_their_beginnings(desks: Desks) -> None:
    alice = desks("alice")
    network = desks("adam").teams.create("Network 100%", key=None)
    assert list(alice.members.emails_from("A", limit=10)) == ["adam@acme.example", "alice@acme.example"]
    assert list(alice.members.emails_from("a", limit=1)) == ["adam@acme.example"]
    assert list(alice.members.emails_from("%", limit=10)) == []
    assert list(alice.teams.ids_from("netw", limit=10)) == list(alice.teams.ids_from(network.id[:6], limit=10))
    assert list(alice.teams.ids_from("network 100%", limit=10)) == [network.id]
    assert list(alice.teams.ids_from("100", limit=10)) == []


def test_what_another_organization_has_is_not_there(desks: Desks) -> None:
    adam, gustav = desks("adam"), desks("gustav")
    team, mine = gustav.teams.create("Network", key=None).id, adam.teams.create("Mine", key=None).id
    grace = desks.id("grace")
    for theirs, nothing in (
        (lambda: adam.members.get(grace, None), lambda: adam.members.get("usr_x", None)),
        (lambda: adam.members.get(None, "grace@globex.example"), lambda: adam.members.get(None, "no@body.example")),
        (lambda: adam.members.deactivate(grace), lambda: adam.members.deactivate("usr_x")),
        (lambda: adam.members.may_deactivate(grace), lambda: adam.members.may_deactivate("usr_x")),
        (
            lambda: adam.members.change_role(grace, "viewer", expected_version=1),
            lambda: adam.members.change_role("usr_x", "viewer", expected_version=1),
        ),
        (lambda: adam.teams.get(team), lambda: adam.teams.get("team_x")),
        (lambda: adam.teams.add_member(team, grace), lambda: adam.teams.add_member("team_x", grace)),
        (lambda: adam.teams.add_member(mine, grace), lambda: adam.teams.add_member(mine, "usr_x")),
        (lambda: adam.teams.remove_member(mine, grace), lambda: adam.teams.remove_member(mine, "usr_x")),
        (lambda: adam.teams.may_remove_member(team, grace), lambda: adam.teams.may_remove_member("team_x", grace)),
    ):
        told = []
        for ask in (theirs, nothing):
            with pytest.raises(NotFound) as refused:
                ask()
            told.append(bytes(refused.value.response().body))
        assert told[0] == told[1]
    assert desks.provider.changes == []


def test_an_organization_unknown_here_is_not_found(desks: Desks) -> None:
    stranger = desks.of(replace(desks("olivia").office.caller, org_id="org_elsewhere"))
    for use in (
        stranger.whoami,
        stranger.organization,
        lambda: usernames(stranger),
        lambda: stranger.teams.create("Network", key=None),
        lambda: stranger.members.invite(MIRA, "agent", key=None),
    ):
        with pytest.raises(NotFound):
            use()
    assert desks.provider.changes == []


def test_a_suspended_organization_says_so_and_does_nothing(desks: Desks) -> None:
    suspend(desks, "olivia")
    olivia = desks("olivia")
    for use in (
        olivia.whoami,
        olivia.organization,
        lambda: usernames(olivia),
        lambda: olivia.teams.create("Network", key=None),
        lambda: olivia.members.deactivate(desks.id("rita")),
        lambda: olivia.members.may_deactivate(desks.id("rita")),
    ):
        with pytest.raises(Forbidden, match="suspended"):
            use()
    (own,) = olivia.my_organizations()
    assert own.organization.status == "suspended"
    assert usernames(desks("grace")) == ["gita", "grace", "gustav"]
    assert desks.provider.changes == []


def test_my_organizations_are_those_i_am_in_or_invited_to(desks: Desks) -> None:
    globex = desks.person("grace")[0].id
    with desks.database.writing() as session:
        for status, org_id in (("invited", globex), ("inactive", desks.person("ivan")[0].id)):
            twin = known(desks, "alice")
            carried = {
                name: getattr(twin, name) for name in ("id", "username", "name", "email", "searched", "folded_email")
            }
            session.add(Member(**carried, org_id=org_id, role="viewer", status=status))
    own = [(each.organization.slug, each.member.role, each.member.status) for each in desks("alice").my_organizations()]
    assert own == [("acme", "agent", "active"), ("globex", "viewer", "invited")]
    assert [each.organization.slug for each in desks("grace").my_organizations()] == ["globex"]
    with pytest.raises(Forbidden):
        desks("alice", scopes=frozenset({"orgs:write"})).my_organizations()


def test_a_question_is_asked_only_of_what_would_go_through(desks: Desks) -> None:
    olivia, adam, rita = desks("olivia"), desks("adam"), desks.id("rita")
    assert adam.members.may_change_role(rita, "agent", expected_version=1).role == "requester"
    assert adam.members.may_deactivate(rita).status == "active"
    refusals: list[tuple[Callable[[], object], type[ProblemError]]] = [
        (lambda: adam.members.may_change_role(rita, "owner", expected_version=1), Forbidden),
        (lambda: adam.members.may_change_role(rita, "agent", expected_version=2), Conflict),
        (lambda: olivia.members.may_change_role(desks.id("olivia"), "agent", expected_version=1), Conflict),
        (lambda: desks("alice").members.may_deactivate(rita), Forbidden),
        (lambda: adam.members.may_deactivate(desks.id("olivia")), Forbidden),
    ]
    for refused, problem in refusals:
        with pytest.raises(problem):
            refused()
    assert standings(desks) == {desks.id(name): (role, "active", 1) for name, role in ROLES.items()}


ROLES = {"alice": "agent", "adam": "admin", "olivia": "owner", "rita": "requester", "victor": "viewer"}


def test_a_review_names_who_is_in_charge_and_who_is_invited(desks: Desks) -> None:
    invited(desks)
    access = desks("victor").members.access()
    assert [member.username for member in access.in_charge] == ["olivia", "adam"]
    assert [member.email for member in access.invited] == [MIRA]
    assert ("active", "agent", 1) in access.counts
    assert sum(count for _, _, count in access.counts) == 6


def test_the_desk_works_on_every_kind_of_database(database_url: str) -> None:
    with connected(database_url, Base.metadata, lay=lay) as database:
        desks = Desks.on(database)
        mira = invited(desks, key="k")
        assert invited(desks, key="k") == mira
        assert as_invited(desks, mira.id).members.accept().status == "active"
        team = desks("adam").teams.create("Straße 100%", key=None)
        with pytest.raises(Conflict):
            desks("adam").teams.create("STRASSE 100%", key=None)
        assert len(desks("adam").teams.add_member(team.id, mira.id).members) == 1
        assert desks("adam").teams.list(limit=1, cursor=None).sizes == {team.id: 1}
        assert list(desks("adam").teams.ids_from("strasse 100%", limit=9)) == [team.id]
        gone = desks("adam").members.deactivate(desks.id("alice"))
        assert (gone.status, gone.version) == ("inactive", 2)
        with pytest.raises(Conflict):
            desks("olivia").members.deactivate(desks.id("olivia"))
        paged = [member.id for member in everybody(desks("olivia"), limit=2)]
        assert sorted(paged) == sorted(standings(desks))
        assert usernames(desks("olivia"), Wanted(query="SØRENSEN", status="active")) == ["rita"]
