"""Who may do what with tickets, and what statuses mean: pure rules."""

from __future__ import annotations

from typing import get_args

import pytest

from services.shared.permissions import Caller
from services.shared.problems import Forbidden
from services.ticketing import roles, workflow
from services.ticketing.roles import Reach


def caller(role: str, scopes: str = "tickets:read tickets:write") -> Caller:
    return Caller("usr_1", "org_1", frozenset({role} if role else ()), frozenset(scopes.split()))


@pytest.mark.parametrize("role", ["viewer", "agent", "admin", "owner"])
def test_members_who_work_with_tickets_see_all_of_the_organization(role: str) -> None:
    assert roles.reach(caller(role)) == Reach("org_1")


def test_a_requester_sees_only_what_they_reported() -> None:
    assert roles.reach(caller("requester")) == Reach("org_1", reporter_id="usr_1")


@pytest.mark.parametrize("role", ["requester", "agent", "admin", "owner"])
def test_everybody_but_a_viewer_may_create(role: str) -> None:
    caller(role).require(roles.CREATE)


@pytest.mark.parametrize("role", ["viewer", "superuser", ""])
def test_any_other_role_may_not_create(role: str) -> None:
    with pytest.raises(Forbidden, match="may not create tickets"):
        caller(role).require(roles.CREATE)


@pytest.mark.parametrize("scopes", ["", "tickets:readonly", "tickets", "tickets:write", "orgs:read"])
def test_a_role_without_the_scope_sees_nothing(scopes: str) -> None:
    with pytest.raises(Forbidden, match="lacks the scope tickets:read"):
        roles.reach(caller("owner", scopes))


def test_two_roles_allow_what_either_allows() -> None:
    both = Caller("usr_1", "org_1", frozenset({"requester", "viewer"}), frozenset({"tickets:read", "tickets:write"}))
    assert roles.reach(both) == Reach("org_1")
    both.require(roles.CREATE)


def test_every_status_stands_in_one_column_of_the_board() -> None:
    columns = {status: workflow.category(status) for status in get_args(workflow.Status)}
    assert columns == {
        "open": "todo",
        "in_progress": "in_progress",
        "pending": "in_progress",
        "resolved": "done",
        "closed": "done",
        "cancelled": "done",
    }
