"""Where a caller is served: who they are to their organization, and one transaction at a time on their behalf."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime

from services.organizations import feed, roles
from services.organizations.directory import Directory
from services.organizations.events import MemberEvent, TeamEvent
from services.organizations.membership import Status
from services.organizations.repository import Repository
from services.organizations.roles import Reach, Role
from services.organizations.tables import Member, Team
from services.shared.database import Database
from services.shared.permissions import Caller, Permission
from services.shared.problems import Forbidden, NotFound

_SUSPENDED = (
    "The organization is suspended: nothing in it can be read or changed until it is reinstated. "
    "list_my_organizations tells of others."
)
_TURNED_AWAY: dict[Status, str] = {
    "invited": "The caller is invited to the organization and has not accepted yet: call accept_invitation first.",
    "inactive": "The caller's membership was deactivated: an admin of the organization must invite again.",
}

_OUTDATED = "The role was changed since the token was issued: sign in again, for a token that says the present one."


@dataclass(frozen=True, slots=True)
class Office:
    """``now`` is the only clock there is."""

    caller: Caller
    database: Database
    directory: Directory
    now: Callable[[], datetime]

    @property
    def reach(self) -> Reach:
        """How far the caller's sight goes. Raises Forbidden: nowhere."""
        return roles.reach(self.caller)

    @contextmanager
    def reading(self, *, invited_too: bool = False) -> Iterator[Repository]:
        """What the caller may see, once it is clear that they are a member who may.

        Raises:
            Forbidden: scope, role or membership do not allow it, or the organization is suspended.
            NotFound: the organization is not known here.
        """
        reach = self.reach
        with self.database.reading() as session:
            found = Repository(session, reach)
            self._admit(found, invited_too=invited_too)
            yield found

    @contextmanager
    def writing(self, permission: Permission, *, invited_too: bool = False) -> Iterator[Repository]:
        """The whole organization, for whoever has the permission. What the block raises has not happened.

        Raises:
            Forbidden, NotFound: as ``reading``.
        """
        self.caller.require(permission)
        with self.database.writing() as session:
            found = Repository(session, Reach(self.caller.org_id))
            self._admit(found, invited_too=invited_too)
            if not invited_too:
                self.require_change(found, permission)
            yield found

    @contextmanager
    def asking(self, permission: Permission) -> Iterator[Repository]:
        """What ``writing`` would give, to look at: whether something can be done, before anybody is asked to approve.

        Raises:
            Forbidden, NotFound: as ``reading``.
        """
        self.caller.require(permission)
        with self.database.reading() as session:
            found = Repository(session, Reach(self.caller.org_id))
            self._admit(found)
            self.require_change(found, permission)
            yield found

    @contextmanager
    def in_turn(self, permission: Permission) -> Iterator[Directory]:
        """The identity provider, while nobody else of the organization tells it anything. The database is not held:
        others write meanwhile, so what is stored afterwards is checked again.

        Raises:
            Forbidden: scope or role do not allow it.
            Unavailable: it is not the caller's turn soon.
        """
        self.caller.require(permission)
        with self.directory.turn(self.caller.org_id):
            yield self.directory

    def tell_of_member(self, found: Repository, event: MemberEvent, member: Member) -> None:
        """Add what the caller made of a member to the feed of changes."""
        feed.tell_of_member(found.session, event, member, by=self.caller, at=self.now())

    def tell_of_team(self, found: Repository, event: TeamEvent, team: Team, member: Member | None = None) -> None:
        """Add what the caller did with a team, and with a member of it, to the feed of changes."""
        feed.tell_of_team(found.session, event, team, member, by=self.caller, at=self.now())

    def require_change(self, found: Repository, permission: Permission, *touched: Role) -> None:
        """Refuse what the token does not cover, and what it says of a role that its bearer no longer has.

        Raises:
            Forbidden: as ``roles.require_change``.
        """
        roles.require_change(self.caller, permission, *touched)
        own = found.own(self.caller.subject)
        by_now = replace(self.caller, roles=frozenset() if own is None else frozenset({own.role}))
        try:
            roles.require_change(by_now, permission, *touched)
        except Forbidden as error:
            raise Forbidden(f"{error.detail} {_OUTDATED}") from error

    def _admit(self, found: Repository, *, invited_too: bool = False) -> None:
        organization = found.organization()
        if organization is None:
            raise NotFound("There is no such organization here.")
        if organization.status == "suspended":
            raise Forbidden(_SUSPENDED)
        own = found.own(self.caller.subject)
        if own is not None and own.status != "active" and not (invited_too and own.status == "invited"):
            raise Forbidden(_TURNED_AWAY[own.status])
