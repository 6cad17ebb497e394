"""Who may do what with tickets: pure rules."""

from __future__ import annotations

from itertools import chain, combinations
from typing import get_args

import pytest

from services.shared.permissions import Caller, Permission
from services.shared.problems import Forbidden
from services.shared.world import written
from services.ticketing import roles, workflow
from services.ticketing.roles import Reach
from services.ticketing.workflow import STATUSES, Status

EVERYTHING = "tickets:read tickets:write tickets:delete"
MAY: dict[str, set[Permission]] = {
    "viewer": {roles.READ},
    "requester": {roles.READ, roles.CREATE, roles.COMMENT, roles.MOVE},
    "agent": {
        roles.READ,
        roles.CREATE,
        roles.COMMENT,
        roles.MOVE,
        roles.COMMENT_INTERNALLY,
        roles.WORK,
        roles.ASSIGN,
    },
}
MAY["admin"] = MAY["owner"] = MAY["agent"] | {roles.DELETE}
PERMISSIONS = MAY["owner"]


def caller(held: str, scopes: str = EVERYTHING) -> Caller:
    return Caller("usr_1", "org_1", frozenset(held.split()), frozenset(scopes.split()))


@pytest.mark.parametrize("role", [*MAY, "superuser", ""])
def test_a_role_may_do_what_the_table_says_and_nothing_without_the_scope(role: str) -> None:
    scopes = sorted(set(EVERYTHING.split()))
    granted = chain.from_iterable(combinations(scopes, size) for size in range(len(scopes) + 1))
    for some in granted:
        held = caller(role, " ".join(some))
        allowed = {permission for permission in PERMISSIONS if held.may(permission)}
        assert allowed == {permission for permission in MAY.get(role, ()) if permission.scope in some}


@pytest.mark.parametrize("role", ["viewer", "agent", "admin", "owner"])
def test_members_who_work_with_tickets_see_all_of_the_organization(role: str) -> None:
    assert roles.reach(caller(role)) == Reach("org_1")
    assert roles.reach(caller(role)).internal


def test_a_requester_sees_only_what_they_reported() -> None:
    assert roles.reach(caller("requester")) == Reach("org_1", reporter_id="usr_1")
    assert not roles.reach(caller("requester")).internal


@pytest.mark.parametrize("scopes", ["", "tickets:readonly", "tickets", "tickets:write", "orgs:read"])
def test_a_role_without_the_scope_sees_nothing(scopes: str) -> None:
    with pytest.raises(Forbidden, match="lacks the scope tickets:read"):
        roles.reach(caller("owner", scopes))


def test_two_roles_allow_what_either_allows_and_reach_as_far_as_the_one_that_does() -> None:
    both = caller("requester viewer")
    assert roles.reach(both) == Reach("org_1")
    assert roles.reach(both, roles.MOVE) == Reach("org_1", reporter_id="usr_1")
    both.require(roles.CREATE)
    assert roles.ways(both, "open", reporter_id="usr_2") == ()
    assert [way.to for way in roles.ways(both, "open", reporter_id="usr_1")] == ["cancelled"]


@pytest.mark.parametrize("status", STATUSES)
def test_who_works_on_tickets_may_go_every_way_there_is(status: Status) -> None:
    assert roles.ways(caller("agent"), status, reporter_id="usr_2") == workflow.transitions(status)


@pytest.mark.parametrize(
    ("status", "open_ways"),
    [
        ("open", ["cancelled"]),
        ("in_progress", ["cancelled"]),
        ("pending", ["cancelled"]),
        ("resolved", ["open"]),
        ("closed", []),
        ("cancelled", []),
    ],
)
def test_a_requester_may_cancel_and_reopen_and_nothing_else(status: Status, open_ways: list[Status]) -> None:
    rita = caller("requester")
    assert [way.to for way in roles.ways(rita, status, reporter_id="usr_1")] == open_ways
    for way in workflow.transitions(status):
        if way.to in open_ways:
            roles.require_way(rita, status, way.to)
        else:
            with pytest.raises(Forbidden, match="may only cancel a ticket or reopen"):
                roles.require_way(rita, status, way.to)


@pytest.mark.parametrize("held", ["viewer", ""])
def test_others_go_no_way_at_all(held: str) -> None:
    assert roles.ways(caller(held), "open", reporter_id="usr_1") == ()
    assert roles.ways(caller("owner", "tickets:read"), "open", reporter_id="usr_1") == ()


def test_the_file_of_a_world_may_say_what_tickets_may_be() -> None:
    assert set(get_args(written.TicketStatus)) == set(workflow.STATUSES)
    assert set(get_args(written.Priority)) == set(workflow.PRIORITIES)
    assert set(get_args(written.TicketType)) == set(get_args(workflow.TicketType))
