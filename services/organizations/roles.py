"""The roles of an organization: what each may know of its members and teams, and what it may change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from services.shared.permissions import Caller, Permission

Role = Literal["owner", "admin", "agent", "requester", "viewer"]
ROLES: tuple[Role, ...] = get_args(Role)

_ADMINS = frozenset({"owner", "admin"})

READ_SELF = Permission("read members", "orgs:read", frozenset(ROLES))
READ_ALL = Permission("read members", "orgs:read", READ_SELF.roles - {"requester"})
INVITE = Permission("invite members", "orgs:write", _ADMINS)
CHANGE_ROLES = Permission("change roles", "orgs:write", _ADMINS)
CHANGE_OWNERS = Permission("make somebody an owner, or change an owner", "orgs:write", frozenset({"owner"}))
DEACTIVATE = Permission("deactivate members", "orgs:write", _ADMINS)
CHANGE_TEAMS = Permission("change teams", "orgs:write", _ADMINS)
ACCEPT = Permission("accept an invitation", "orgs:write", READ_SELF.roles)

MEANING: Mapping[Role, str] = {
    "owner": "Everything an admin may, and owners too: make them, change them, deactivate them.",
    "admin": "Everything an agent may; deletes tickets; invites members, changes their roles, deactivates them, and "
    "keeps the teams. Not owners.",
    "agent": "Works on all tickets of the organization, sees internal comments and all members.",
    "requester": "Opens tickets and follows their own; sees only themselves among the members.",
    "viewer": "Reads all tickets and sees all members; changes nothing.",
}
"""In words for people and models."""


@dataclass(frozen=True, slots=True)
class Reach:
    """The members somebody gets to see: those of an organization, or only themselves in it."""

    org_id: str
    member_id: str | None = None


def reach(caller: Caller) -> Reach:
    """How far the caller's sight goes.

    Raises:
        Forbidden: nowhere.
    """
    if caller.may(READ_ALL):
        return Reach(caller.org_id)
    caller.require(READ_SELF)
    return Reach(caller.org_id, member_id=caller.subject)


def require_change(caller: Caller, permission: Permission, *touched: Role) -> None:
    """Refuse what the permission does not cover; if an owner is among the roles ``touched``, it takes an owner.

    Raises:
        Forbidden: not with this scope or role.
    """
    caller.require(permission)
    if "owner" in touched:
        caller.require(CHANGE_OWNERS)
