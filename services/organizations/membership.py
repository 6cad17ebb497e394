"""The life of a membership: invited, active, inactive, and back. Pure rules on values; nobody is asked or told here.

Each rule returns what the membership becomes. What comes out equal to what went in was no change.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from services.organizations.roles import Role
from services.shared.problems import Conflict

Status = Literal["active", "invited", "inactive"]
OrganizationStatus = Literal["active", "suspended"]

INVITATION_LASTS = timedelta(days=7)

NEEDS_AN_OWNER = "The organization needs an active owner: make somebody else one first (update_member_role)."


@dataclass(frozen=True, slots=True)
class Standing:
    """What somebody is in an organization."""

    role: Role
    status: Status
    invited_until: datetime | None = None
    """When the invitation is no longer good: at this moment it no longer is. None: there is none."""

    @property
    def counts_as_owner(self) -> bool:
        """Whether the organization is in good hands with them alone."""
        return self.role == "owner" and self.status == "active"


def invited(before: Standing | None, role: Role, *, at: datetime) -> Standing:
    """Somebody new, an invitation that is renewed, or somebody who is asked back.

    Raises:
        Conflict: they are a member already.
    """
    if before is not None and before.status == "active":
        raise Conflict("This person is an active member already. To change their role, call update_member_role.")
    return Standing(role, "invited", invited_until=at + INVITATION_LASTS)


def accepted(before: Standing, *, at: datetime) -> Standing:
    """From now on a member like the others. Who is one already stays one.

    Raises:
        Conflict: there is no invitation, or it is no longer good.
    """
    if before.status == "active":
        return before
    if before.status == "inactive":
        raise Conflict("The membership was deactivated: an admin must invite again (invite_member).")
    if expired(before, at=at):
        raise Conflict("The invitation has expired: an admin must invite again (invite_member).")
    return replace(before, status="active", invited_until=None)


def expired(standing: Standing, *, at: datetime) -> bool:
    """Whether it is an invitation that came to nothing."""
    until = standing.invited_until
    return standing.status == "invited" and until is not None and at >= until


def given(before: Standing, role: Role, *, owners: int) -> Standing:
    """With another role. ``owners`` is how many active owners the organization has now.

    Raises:
        Conflict: it would be left without an owner, or the membership was deactivated.
    """
    if before.status == "inactive":
        raise Conflict("The membership was deactivated: invite_member gives it a role and asks the person back.")
    return _keeping_an_owner(before, replace(before, role=role), owners=owners)


def deactivated(before: Standing, *, owners: int) -> Standing:
    """No member any more, but still known by name. Who is none already stays so.

    Raises:
        Conflict: the organization would be left without an owner.
    """
    return _keeping_an_owner(before, replace(before, status="inactive", invited_until=None), owners=owners)


def _keeping_an_owner(before: Standing, after: Standing, *, owners: int) -> Standing:
    if before.counts_as_owner and not after.counts_as_owner and owners <= 1:
        raise Conflict(NEEDS_AN_OWNER)
    return after
