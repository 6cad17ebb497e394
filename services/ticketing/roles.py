"""Which roles may do what with tickets."""

from __future__ import annotations

from dataclasses import dataclass

from services.shared.permissions import Caller, Permission

READ_ALL = Permission("read tickets", "tickets:read", frozenset({"viewer", "agent", "admin", "owner"}))
READ_OWN = Permission("read tickets", "tickets:read", frozenset({"requester"}))
CREATE = Permission("create tickets", "tickets:write", frozenset({"requester", "agent", "admin", "owner"}))


@dataclass(frozen=True, slots=True)
class Reach:
    """The tickets somebody gets to see: those of an organization, or only those they reported there."""

    org_id: str
    reporter_id: str | None = None


def reach(caller: Caller) -> Reach:
    """How far the caller's reading goes.

    Raises:
        Forbidden: nowhere.
    """
    if caller.may(READ_ALL):
        return Reach(caller.org_id)
    caller.require(READ_OWN)
    return Reach(caller.org_id, reporter_id=caller.subject)
