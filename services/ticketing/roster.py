"""Whom and what a ticket can be given to: the people and teams of its organization, as far as ticketing knows them."""

from __future__ import annotations

from sqlalchemy import insert, update
from sqlalchemy.orm import Session

from services.shared.permissions import Caller
from services.shared.problems import Flaw, Invalid
from services.ticketing import sight
from services.ticketing.roles import WORKERS, Reach
from services.ticketing.tables import Member, Team, Tenant


class Roster:
    """The people and teams of the organization within ``reach``, in one transaction."""

    def __init__(self, session: Session, reach: Reach) -> None:
        self._session = session
        self._reach = reach

    def meet(self, caller: Caller) -> None:
        """Remember who writes here, with the roles their token says."""
        roles = sorted(caller.roles)
        known = self._session.scalar(sight.members(self._reach).where(Member.user_id == caller.subject))
        at = {"org_id": caller.org_id, "user_id": caller.subject}
        if known is None and self._session.get(Tenant, caller.org_id) is None:
            return  # an organization that keeps no tickets here: there is nothing to write about
        if known is None:
            self._session.execute(insert(Member).values(**at, roles=roles, active=True))
        elif (known.roles, known.active) != (roles, True):
            self._session.execute(update(Member).filter_by(**at).values(roles=roles, active=True))

    def require_worker(self, user_id: str, *, argument: str) -> None:
        """Refuse to give a ticket to somebody who cannot work on it.

        Raises:
            Invalid: whoever it is: nobody, of another organization, inactive, or without such a role.
        """
        member = self._session.scalar(sight.members(self._reach).where(Member.user_id == user_id))
        if member is None or not member.active or WORKERS.isdisjoint(member.roles):
            raise _unknown(
                argument,
                f"{user_id!r} is nobody here who works on tickets. list_members tells ids; take an active agent, "
                "admin or owner.",
            )

    def require_team(self, team_id: str, *, argument: str) -> None:
        """Refuse a team that the organization does not have.

        Raises:
            Invalid: there is none, here.
        """
        if self._session.scalar(sight.teams(self._reach).where(Team.id == team_id)) is None:
            raise _unknown(argument, f"{team_id!r} is no team here. list_teams tells their ids.")


def _unknown(argument: str, says: str) -> Invalid:
    return Invalid(says, errors=[Flaw(pointer=f"arguments.{argument}", detail=says)])
