"""What a person is asked before a tool destroys something. What keeps the call from succeeding is raised instead."""

from __future__ import annotations

from services.organizations.arguments import Desk, MemberId, NewRole, TeamId, Version
from services.organizations.tables import Member
from services.shared.lines import one_line, quoted


def change_role(desk: Desk, user_id: MemberId, *, role: NewRole, expected_version: Version) -> str:
    """Of ``update_member_role``."""
    member = desk.members.may_change_role(user_id, role, expected_version=expected_version)
    return f"Change the role of {_named(member)} from {member.role} to {role}?"


def deactivate(desk: Desk, user_id: MemberId) -> str:
    """Of ``deactivate_member``."""
    member = desk.members.may_deactivate(user_id)
    return f"Deactivate {_named(member)}, {member.role}? They are signed out everywhere and cannot sign in any more."


def remove_team_member(desk: Desk, team_id: TeamId, *, user_id: MemberId) -> str:
    """Of the tool of that name."""
    team, member = desk.teams.may_remove_member(team_id, user_id)
    return f"Remove {_named(member)} from the team {quoted(team.name)}?"


def _named(member: Member) -> str:
    return f"{quoted(member.name)} ({one_line(member.email, longest=254)})"
