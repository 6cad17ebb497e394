"""What happens to members and teams, by name."""

from __future__ import annotations

from typing import Literal

MemberEvent = Literal["member.invited", "member.joined", "member.role_changed", "member.deactivated"]
TeamEvent = Literal["team.created", "team.member_added", "team.member_removed"]
Event = Literal[MemberEvent, TeamEvent]
