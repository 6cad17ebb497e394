"""What the tools answer with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated

from pydantic import AwareDatetime, Field

from services.organizations import roles
from services.organizations.listing import Listing
from services.organizations.membership import OrganizationStatus, Status, expired
from services.organizations.repository import Access, Membership, Overview
from services.organizations.roles import Role
from services.organizations.tables import Member, Organization, Team
from services.shared.mcp.view import NextCursor, Total, View


class OrganizationView(View):
    """An organization."""

    id: str
    slug: str
    display_name: str
    ticket_prefix: Annotated[str, Field(description="How its ticket keys begin: ACME in ACME-12.")]

    @classmethod
    def of(cls, organization: Organization) -> OrganizationView:
        """The organization as it is shown."""
        return cls(
            id=organization.id,
            slug=organization.slug,
            display_name=organization.name,
            ticket_prefix=organization.ticket_prefix,
        )


class OverviewView(OrganizationView):
    """The caller's organization."""

    status: OrganizationStatus
    member_count: Annotated[int, Field(description="Members of any status whom the caller may see.")]
    team_count: Annotated[int, Field(description="Teams the caller may see.")]

    @classmethod
    def of_overview(cls, overview: Overview) -> OverviewView:
        """The organization as it is shown to its members."""
        organization = OrganizationView.of(overview.organization)
        return cls(
            **organization.model_dump(by_alias=False),
            status=overview.organization.status,
            member_count=overview.members,
            team_count=overview.teams,
        )


class MemberView(View):
    """A member of an organization."""

    id: Annotated[str, Field(description="What tickets name as reporterId and assigneeId.")]
    username: str
    display_name: str
    email: str
    role: Role
    status: Annotated[Status, Field(description="Only active members can sign in and be given work.")]

    @classmethod
    def of(cls, member: Member) -> MemberView:
        """The member as they are shown."""
        return cls(
            id=member.id,
            username=member.username,
            display_name=member.name,
            email=member.email,
            role=member.role,
            status=member.status,
        )


class InvitationView(View):
    """An invitation that was not accepted yet."""

    expires_at: AwareDatetime
    expired: Annotated[bool, Field(description="Then invite_member renews it.")]


class VersionedMemberView(MemberView):
    """A member as one who may change them has to know them."""

    invitation: Annotated[InvitationView | None, Field(description="Of those whose status is invited.")]
    version: Annotated[int, Field(description="What update_member_role wants as expected_version.")]

    @classmethod
    def of_known(cls, member: Member, *, at: datetime) -> VersionedMemberView:
        """The member as they are shown at this moment."""
        invitation = None
        if member.invited_until is not None:
            invitation = InvitationView(expires_at=member.invited_until, expired=expired(member.standing, at=at))
        shown = MemberView.of(member).model_dump(by_alias=False)
        return cls(**shown, invitation=invitation, version=member.version)


class MeView(MemberView):
    """The caller, and the organization the token is about."""

    organization: OrganizationView

    @classmethod
    def of_membership(cls, membership: Membership) -> MeView:
        """The caller as they are shown."""
        member = MemberView.of(membership.member)
        return cls(**member.model_dump(by_alias=False), organization=OrganizationView.of(membership.organization))


class MembershipView(View):
    """What the caller is in one of their organizations."""

    organization: OrganizationView
    organization_status: Annotated[OrganizationStatus, Field(description="Nothing can be done in a suspended one.")]
    role: Role
    status: Annotated[Status, Field(description="invited: accept_invitation with a token of that organization.")]
    current: Annotated[bool, Field(description="Whether this is the one all other calls are about.")]

    @classmethod
    def of(cls, membership: Membership, *, current: str) -> MembershipView:
        """The membership as it is shown to the person; ``current`` is the id of the token's organization."""
        return cls(
            organization=OrganizationView.of(membership.organization),
            organization_status=membership.organization.status,
            role=membership.member.role,
            status=membership.member.status,
            current=membership.organization.id == current,
        )


class MembershipsView(View):
    """The caller's organizations, by name."""

    items: list[MembershipView]


class MemberPageView(View):
    """A page of members, by name."""

    items: list[VersionedMemberView]
    next_cursor: NextCursor
    total: Total

    @classmethod
    def of(cls, listing: Listing[Member], *, at: datetime) -> MemberPageView:
        """The page as it is shown at this moment."""
        return cls(
            items=[VersionedMemberView.of_known(member, at=at) for member in listing.page.items],
            next_cursor=listing.next_cursor,
            total=listing.page.total,
        )


class TeamSummaryView(View):
    """A team without its members."""

    id: str
    display_name: str
    member_count: Annotated[int, Field(description="Those the caller may see.")]
    version: Annotated[int, Field(description="Counts the changes of its members.")]


class TeamPageView(View):
    """A page of teams, by name."""

    items: list[TeamSummaryView]
    next_cursor: NextCursor
    total: Total

    @classmethod
    def of(cls, listing: Listing[Team], sizes: Mapping[str, int]) -> TeamPageView:
        """The page as it is shown."""
        return cls(
            items=[
                TeamSummaryView(
                    id=team.id, display_name=team.name, member_count=sizes.get(team.id, 0), version=team.version
                )
                for team in listing.page.items
            ],
            next_cursor=listing.next_cursor,
            total=listing.page.total,
        )


class TeamView(View):
    """A team and those in it, by name."""

    id: str
    display_name: str
    version: Annotated[int, Field(description="Counts the changes of its members.")]
    members: Annotated[list[MemberView], Field(description="Those the caller may see.")]

    @classmethod
    def of(cls, team: Team, members: Sequence[Member]) -> TeamView:
        """The team as it is shown."""
        return cls(
            id=team.id,
            display_name=team.name,
            version=team.version,
            members=[MemberView.of(member) for member in members],
        )


class StandingCountView(View):
    """How many members have this status and role."""

    status: Status
    role: Role
    count: int


class AccessView(View):
    """Who may do what in an organization."""

    counts: list[StandingCountView]
    owners_and_admins: list[VersionedMemberView]
    invitations: list[VersionedMemberView]

    @classmethod
    def of(cls, access: Access, *, at: datetime) -> AccessView:
        """The same as it is shown at this moment."""
        return cls(
            counts=[StandingCountView(status=status, role=role, count=count) for status, role, count in access.counts],
            owners_and_admins=[VersionedMemberView.of_known(member, at=at) for member in access.in_charge],
            invitations=[VersionedMemberView.of_known(member, at=at) for member in access.invited],
        )


class OnboardingView(View):
    """Somebody who is to come into an organization."""

    organization: OrganizationView
    email: str
    role: Role
    known_as: VersionedMemberView | None
    """What they are there already."""


class RoleView(View):
    """A role."""

    role: Role
    meaning: str


class RolesView(View):
    """All roles, the most powerful first."""

    roles: list[RoleView]

    @classmethod
    def all(cls) -> RolesView:
        """They are the same in every organization."""
        return cls(roles=[RoleView(role=role, meaning=meaning) for role, meaning in roles.MEANING.items()])
