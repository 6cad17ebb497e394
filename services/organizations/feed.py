"""What the feed of changes is told of members and teams, and whom it is told to."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from services.organizations.events import MemberEvent, TeamEvent
from services.organizations.roles import Reach
from services.organizations.tables import FeedEntry, Member, Team
from services.shared import feed
from services.shared.permissions import Caller


def tell_of_member(session: Session, event: MemberEvent, member: Member, *, by: Caller, at: datetime) -> None:
    """Tell what the member has become."""
    about = {"member_id": member.id, "team_id": None, "role": member.role, "version": member.version}
    feed.append(session, FeedEntry, member.org_id, type=event, at=at, **about, **_actor(by))


def tell_of_team(
    session: Session, event: TeamEvent, team: Team, member: Member | None = None, *, by: Caller, at: datetime
) -> None:
    """Tell of a team, and of the member who came or went."""
    member_id = None if member is None else member.id
    about = {"member_id": member_id, "team_id": team.id, "role": None, "version": team.version}
    feed.append(session, FeedEntry, team.org_id, type=event, at=at, **about, **_actor(by))


def visible(reach: Reach) -> Select[FeedEntry]:
    """What was done within reach: all in the organization, or only what became of one member."""
    entries = select(FeedEntry).where(FeedEntry.org_id == reach.org_id)
    return entries if reach.member_id is None else entries.where(FeedEntry.member_id == reach.member_id)


def _actor(caller: Caller) -> dict[str, str | None]:
    return {
        "actor_id": caller.subject,
        "client_id": caller.client_id,
        "acting": caller.actor,
        "trace_id": caller.trace_id,
    }
