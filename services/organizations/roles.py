"""The roles of an organization, and what each may know of its members."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from services.shared.permissions import Caller, Permission

Role = Literal["owner", "admin", "agent", "requester", "viewer"]

READ_SELF = Permission("read members", "orgs:read", frozenset(get_args(Role)))
READ_ALL = Permission("read members", "orgs:read", READ_SELF.roles - {"requester"})
CHANGE_ROLES = Permission("change roles", "orgs:write", frozenset({"owner", "admin"}))
CHANGE_OWNERS = Permission("make somebody an owner, or change an owner's role", "orgs:write", frozenset({"owner"}))


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


def require_change(caller: Caller, before: Role, after: Role) -> None:
    """Refuse to change a role that the caller may not change, or not to that.

    Raises:
        Forbidden: not with this scope or role.
    """
    caller.require(CHANGE_OWNERS if "owner" in (before, after) else CHANGE_ROLES)
