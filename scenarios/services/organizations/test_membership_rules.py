"""The life of a membership, and who may change it: pure rules."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest

from services.organizations import membership, roles
from services.organizations.membership import INVITATION_LASTS, Standing, Status
from services.organizations.roles import Reach, Role
from services.shared.permissions import Caller, Permission
from services.shared.problems import Conflict, Forbidden

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
INVITED = Standing("agent", "invited", invited_until=NOON)
ROLES = get_args(Role)


def caller(role: str, scopes: str = "orgs:read orgs:write") -> Caller:
    return Caller("usr_1", "org_1", frozenset({role}), frozenset(scopes.split()))


@pytest.mark.parametrize(
    ("role", "member_id"), [("viewer", None), ("agent", None), ("admin", None), ("owner", None), ("requester", "usr_1")]
)
def test_all_members_see_each_other_but_a_requester_only_themselves(role: str, member_id: str | None) -> None:
    assert roles.reach(caller(role, "orgs:read")) == Reach("org_1", member_id)


@pytest.mark.parametrize(("role", "scope"), [("owner", "orgs:write"), ("superuser", "orgs:read")])
def test_scope_and_role_must_both_be_there(role: str, scope: str) -> None:
    with pytest.raises(Forbidden):
        roles.reach(caller(role, scope))


@pytest.mark.parametrize("permission", [roles.INVITE, roles.CHANGE_ROLES, roles.DEACTIVATE, roles.CHANGE_TEAMS])
def test_only_admins_and_owners_change_the_organization(permission: Permission) -> None:
    assert {role for role in ROLES if caller(role).may(permission)} == {"admin", "owner"}
    assert not caller("owner", "orgs:read").may(permission)


def test_whoever_is_invited_may_accept_whatever_their_role() -> None:
    assert all(caller(role).may(roles.ACCEPT) for role in ROLES)
    assert not caller("owner", "orgs:read").may(roles.ACCEPT)


@pytest.mark.parametrize(
    ("who", "touched", "allowed"),
    [
        ("owner", ("requester", "agent"), True),
        ("owner", ("admin", "owner"), True),
        ("owner", ("owner", "viewer"), True),
        ("admin", ("requester", "admin"), True),
        ("admin", ("admin", "viewer"), True),
        ("admin", ("agent", "owner"), False),
        ("admin", ("owner", "agent"), False),
        ("admin", ("owner",), False),
        ("admin", ("viewer",), True),
        ("agent", ("requester", "agent"), False),
        ("viewer", ("requester", "agent"), False),
        ("requester", ("requester", "owner"), False),
    ],
)
def test_admins_change_everybody_but_owners(who: Role, touched: tuple[Role, ...], allowed: bool) -> None:
    if allowed:
        roles.require_change(caller(who), roles.CHANGE_ROLES, *touched)
    else:
        with pytest.raises(Forbidden):
            roles.require_change(caller(who), roles.CHANGE_ROLES, *touched)


def test_every_role_has_a_meaning() -> None:
    assert tuple(roles.MEANING) == roles.ROLES == ROLES


@pytest.mark.parametrize("before", [None, INVITED, Standing("viewer", "inactive")])
def test_an_invitation_begins_anew_whatever_was_before(before: Standing | None) -> None:
    after = membership.invited(before, "admin", at=NOON)
    assert after == Standing("admin", "invited", invited_until=NOON + INVITATION_LASTS)


def test_an_active_member_is_not_invited() -> None:
    with pytest.raises(Conflict, match="active member already"):
        membership.invited(Standing("viewer", "active"), "admin", at=NOON)


@pytest.mark.parametrize(("seconds", "good"), [(-1, True), (0, False), (1, False)])
def test_an_invitation_is_good_until_its_last_moment_and_not_in_it(seconds: int, good: bool) -> None:
    at = NOON + timedelta(seconds=seconds)
    assert membership.expired(INVITED, at=at) is not good
    if good:
        assert membership.accepted(INVITED, at=at) == Standing("agent", "active")
    else:
        with pytest.raises(Conflict, match="expired"):
            membership.accepted(INVITED, at=at)


def test_only_an_invitation_can_expire() -> None:
    for status in ("active", "inactive"):
        assert not membership.expired(Standing("agent", status, invited_until=NOON), at=NOON)


def test_accepting_twice_changes_nothing_and_without_an_invitation_it_is_refused() -> None:
    once = membership.accepted(INVITED, at=NOON - INVITATION_LASTS)
    assert membership.accepted(once, at=NOON + INVITATION_LASTS) == once
    with pytest.raises(Conflict, match="deactivated"):
        membership.accepted(Standing("agent", "inactive"), at=NOON)


@pytest.mark.parametrize("role", ROLES)
def test_the_last_owner_can_neither_become_something_else_nor_go(role: Role) -> None:
    owner = Standing("owner", "active")
    if role == "owner":
        assert membership.given(owner, role, owners=1) == owner
    else:
        with pytest.raises(Conflict, match="needs an active owner"):
            membership.given(owner, role, owners=1)
    assert membership.given(owner, role, owners=2) == Standing(role, "active")
    with pytest.raises(Conflict, match="needs an active owner"):
        membership.deactivated(owner, owners=1)
    assert membership.deactivated(owner, owners=2).status == "inactive"


@pytest.mark.parametrize("status", ["invited", "inactive"])
def test_an_owner_who_is_not_active_does_not_hold_the_organization(status: Status) -> None:
    owner = Standing("owner", status)
    assert not owner.counts_as_owner
    assert membership.deactivated(owner, owners=1).status == "inactive"


def test_whoever_is_invited_can_be_given_another_role_and_whoever_is_gone_cannot() -> None:
    assert membership.given(INVITED, "viewer", owners=1) == Standing("viewer", "invited", invited_until=NOON)
    with pytest.raises(Conflict, match="deactivated"):
        membership.given(Standing("agent", "inactive"), "viewer", owners=1)


def test_deactivating_twice_changes_nothing_and_ends_an_invitation() -> None:
    once = membership.deactivated(INVITED, owners=1)
    assert once == Standing("agent", "inactive")
    assert membership.deactivated(once, owners=1) == once
