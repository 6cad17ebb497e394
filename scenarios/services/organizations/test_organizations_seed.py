"""A world as it is laid into the database: whoever was invited, has left or is in two organizations is so here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, get_args

import pytest

from scenarios.services.organizations.desks import BOTH_SCOPES, NOON, Desks, usernames
from services.organizations import seed
from services.organizations.desk import OrganizationDesk
from services.organizations.repository import Wanted
from services.organizations.roles import ROLES
from services.organizations.tables import Base
from services.organizations.views import VersionedMemberView
from services.shared.database import connected
from services.shared.permissions import Caller
from services.shared.problems import Forbidden
from services.shared.world import Organization, Person, Team, World, written

ADA = Person("usr_ada", "ada", "Ada", "Ada@one.example", "owner")
BEN = Person("usr_ben", "ben", "Ben", "ben@one.example", "agent", "inactive")
EVE = Person("usr_eve", "eve", "Eve", "eve@one.example", "viewer", "invited", NOON, NOON + timedelta(days=1))
IDA = Person("usr_ida", "ida", "Ida", "ida@one.example", "viewer", "invited", NOON, NOON - timedelta(days=1))
ADA_THERE = replace(ADA, role="viewer")
TEAM = Team("team_1", "Straße", ("usr_ada", "usr_ben"))
EMPTY_TEAM = Team("team_2", "Straße", ())


def organization(place: int, slug: str, people: tuple[Person, ...], team: Team, **more: Any) -> Organization:
    usual: dict[str, Any] = {"status": "active", "ticket_count": 0, "each_ticket": lambda: iter(())}
    name, prefix = slug.capitalize(), slug.upper()
    return Organization(f"org_{place}", slug, name, prefix, people, teams=(team,), **usual | more)


ONE = organization(1, "one", (ADA, BEN, EVE, IDA), TEAM)
TWO = organization(2, "two", (ADA_THERE,), EMPTY_TEAM)
SHUT = organization(3, "shut", (ADA_THERE,), Team("team_3", "Desk", ()), status="suspended")


@pytest.fixture
def desks(tmp_path: Path) -> Iterator[Desks]:
    """Desks on three organizations, laid twice as a second start does."""
    with connected(f"sqlite:///{tmp_path / 'organizations.db'}", Base.metadata) as database:
        for _ in range(2):
            seed.lay(World("three", 1, (ONE, TWO, SHUT)), database)
        yield Desks.on(database)


def desk(desks: Desks, org_id: str, role: str = "owner", *, subject: str = "usr_ada") -> OrganizationDesk:
    return desks.of(Caller(subject, org_id, frozenset({role}), BOTH_SCOPES))


def test_members_are_what_they_are_in_the_world(desks: Desks) -> None:
    ada = desk(desks, "org_1")
    assert {status: usernames(ada, Wanted(status=status)) for status in ("active", "invited", "inactive")} == {
        "active": ["ada"],
        "invited": ["eve", "ida"],
        "inactive": ["ben"],
    }
    assert ada.members.get(None, "ada@ONE.example").id == "usr_ada"
    views = [VersionedMemberView.of_known(ada.members.get(each.id, None), at=NOON) for each in (EVE, IDA)]
    assert [view.invitation and view.invitation.expired for view in views] == [False, True]
    assert desk(desks, "org_1", "viewer", subject="usr_eve").members.accept().status == "active"


def test_teams_have_those_who_are_in_them_also_who_has_left(desks: Desks) -> None:
    team = desk(desks, "org_1").teams.get("team_1")
    assert (team.display_name, [member.username for member in team.members]) == ("Straße", ["ada", "ben"])
    assert desk(desks, "org_2", "viewer").teams.get("team_2").members == []


def test_somebody_in_several_organizations_is_in_each_with_their_role_there(desks: Desks) -> None:
    own = [(each.organization.slug, each.member.role) for each in desk(desks, "org_1").my_organizations()]
    assert own == [("one", "owner"), ("shut", "viewer"), ("two", "viewer")]
    assert desk(desks, "org_2", "viewer").whoami().member.role == "viewer"


def test_a_suspended_organization_turns_its_members_away(desks: Desks) -> None:
    with pytest.raises(Forbidden, match="suspended"):
        desk(desks, "org_3", "viewer").whoami()


def test_the_file_of_a_world_may_give_every_role_there_is() -> None:
    assert set(get_args(written.Role)) == set(ROLES)
