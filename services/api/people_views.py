"""People, teams and organizations on the wire."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import AwareDatetime, ConfigDict, Field, StringConstraints

from services.api.parameters import Omittable, Search
from services.api.views import In, NextCursor, Out, PageQuery, Total, Version


class Role(StrEnum):
    """What a member may do in the organization."""

    owner = "owner"
    admin = "admin"
    agent = "agent"
    requester = "requester"
    viewer = "viewer"


class MemberStatus(StrEnum):
    """Whether somebody belongs to the organization now. Only who is active can sign in and be given work."""

    active = "active"
    invited = "invited"
    inactive = "inactive"


class OrganizationStatus(StrEnum):
    """Whether anything can be done in an organization."""

    active = "active"
    suspended = "suspended"


class Organization(Out):
    """A tenant."""

    id: str
    slug: str
    display_name: str
    ticket_prefix: str


class OrganizationOverview(Organization):
    """The caller's organization, and how large it is as far as the caller may see."""

    status: OrganizationStatus
    member_count: int = Field(ge=0)
    team_count: int = Field(ge=0)


class Membership(Out):
    """What the caller is in one of their organizations."""

    organization: Organization
    organization_status: OrganizationStatus
    role: Role
    status: MemberStatus
    current: bool = Field(description="Whether it is the one the caller's token is about, as all other answers are.")


class Memberships(Out):
    """The caller's organizations, by name."""

    items: list[Membership]


class TeamMember(Out):
    """Somebody in the caller's organization."""

    id: str
    username: str
    display_name: str
    email: str
    role: Role
    status: MemberStatus


class Me(TeamMember):
    """The caller."""

    organization: Organization


class Invitation(Out):
    """An invitation that was not accepted yet."""

    expires_at: AwareDatetime
    expired: bool


class Member(TeamMember):
    """Somebody in the caller's organization, as who may change them has to know them."""

    invitation: Invitation | None
    version: Version


class MemberPage(Out):
    """Members by name."""

    items: list[Member]
    next_cursor: NextCursor
    total: Total


class TeamSummary(Out):
    """A team without its members."""

    id: str
    display_name: str
    member_count: int = Field(ge=0)
    version: Version


class TeamPage(Out):
    """Teams by name."""

    items: list[TeamSummary]
    next_cursor: NextCursor
    total: Total


class Team(Out):
    """A team and those in it whom the caller may see, by name."""

    id: str
    display_name: str
    version: Version
    members: list[TeamMember]


class MemberQuery(PageQuery):
    """Which members, and how many at once."""

    query: Annotated[Search | None, Omittable()] = Field(
        default=None, description="Text to look for in name, username and email."
    )
    role: Annotated[Role | None, Omittable()] = None
    status: Annotated[MemberStatus | None, Omittable()] = None


_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_ADDRESS = rf"^[A-Za-z0-9.!#$%&'*+/=?^_`{{|}}~-]{{1,64}}@{_LABEL}(?:\.{_LABEL})*$"
"""What a browser takes for one: https://html.spec.whatwg.org/multipage/input.html#valid-e-mail-address"""

_BLANK = r"\u0000-\u0020\u007f\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
_LINE = r"[^\u0000-\u001f\u007f]*"
_NAME = rf"^{_LINE}[^{_BLANK}]{_LINE}$"


class MemberInvite(In):
    """Somebody to be asked to join."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"email": "nadia@example.com", "role": "agent"}]})

    email: Annotated[str, StringConstraints(min_length=3, max_length=180, pattern=_ADDRESS)]
    role: Role


class MemberChange(In):
    """What becomes of a member."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"role": "agent"}]})

    role: Role


class TeamCreate(In):
    """A new team."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"displayName": "Second line"}]})

    display_name: Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=_NAME)]
