"""Which roles may do what with tickets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from services.shared.permissions import Caller, Permission
from services.shared.problems import Forbidden
from services.ticketing import workflow
from services.ticketing.workflow import Status, Transition

Role = Literal["viewer", "requester", "agent", "admin", "owner"]

WORKERS = frozenset({"agent", "admin", "owner"})
"""Who works on tickets, and so can be given one."""

READ = Permission("read tickets", "tickets:read", frozenset({"viewer", "requester"}) | WORKERS)
CREATE = Permission("create tickets", "tickets:write", frozenset({"requester"}) | WORKERS)
COMMENT = Permission("comment on tickets", "tickets:write", frozenset({"requester"}) | WORKERS)
COMMENT_INTERNALLY = Permission("write internal comments", "tickets:write", WORKERS)
MOVE = Permission("change the status of tickets", "tickets:write", frozenset({"requester"}) | WORKERS)
WORK = Permission("change tickets", "tickets:write", WORKERS)
ASSIGN = Permission("assign tickets", "tickets:write", WORKERS)
DELETE = Permission("delete tickets", "tickets:delete", frozenset({"admin", "owner"}))

_SEE_ALL = frozenset({"viewer"}) | WORKERS


@dataclass(frozen=True, slots=True)
class Reach:
    """The tickets somebody gets to see: those of an organization, or only those they reported there."""

    org_id: str
    reporter_id: str | None = None

    @property
    def internal(self) -> bool:
        """Whether what is said among those who work on tickets is within reach."""
        return self.reporter_id is None


def reach(caller: Caller, permission: Permission = READ) -> Reach:
    """How far it goes what a permission gives to the caller.

    Raises:
        Forbidden: nowhere.
    """
    caller.require(permission)
    # Of several roles, only those that give the permission say how far it goes.
    whole = caller.roles & permission.roles & _SEE_ALL
    return Reach(caller.org_id, None if whole else caller.subject)


def ways(caller: Caller, status: Status, *, reporter_id: str) -> tuple[Transition, ...]:
    """The transitions the caller may make of a ticket they can read."""
    if not caller.may(MOVE) or reach(caller, MOVE).reporter_id not in (None, reporter_id):
        return ()
    return tuple(way for way in workflow.transitions(status) if _may_go(caller, status, way.to))


def require_way(caller: Caller, status: Status, to: Status) -> None:
    """Refuse a transition that exists and is not for the caller.

    Raises:
        Forbidden: a requester may cancel and reopen what they reported, and nothing else.
    """
    exists = any(way.to == to for way in workflow.transitions(status))
    if exists and not _may_go(caller, status, to):
        held = ", ".join(sorted(caller.roles))
        raise Forbidden(f"The role {held} may only cancel a ticket or reopen a resolved one, not make it {to}.")


def _may_go(caller: Caller, status: Status, to: Status) -> bool:
    return caller.may(WORK) or to == "cancelled" or workflow.is_reopening(status, to)
