"""What the tools answer with."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from services.organizations.desk import Listing, Membership
from services.organizations.roles import Role
from services.organizations.tables import Member, Organization
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


class MemberView(View):
    """A member of an organization."""

    id: Annotated[str, Field(description="What tickets name as reporterId and assigneeId.")]
    username: str
    display_name: str
    email: str
    role: Role

    @classmethod
    def of(cls, member: Member) -> MemberView:
        """The member as they are shown."""
        return cls(
            id=member.id, username=member.username, display_name=member.name, email=member.email, role=member.role
        )


class VersionedMemberView(MemberView):
    """A member as one who may change them has to know them."""

    version: Annotated[int, Field(description="What update_member_role wants as expected_version.")]

    @classmethod
    def of(cls, member: Member) -> VersionedMemberView:
        """The member as they are shown."""
        return cls(**MemberView.of(member).model_dump(by_alias=False), version=member.version)


class MeView(MemberView):
    """The caller, and the organization the token is about."""

    organization: OrganizationView

    @classmethod
    def of_membership(cls, membership: Membership) -> MeView:
        """The caller as they are shown."""
        member = MemberView.of(membership.member)
        return cls(**member.model_dump(by_alias=False), organization=OrganizationView.of(membership.organization))


class MemberPageView(View):
    """A page of members, by name."""

    items: list[VersionedMemberView]
    next_cursor: NextCursor
    total: Total

    @classmethod
    def of(cls, listing: Listing) -> MemberPageView:
        """The page as it is shown."""
        return cls(
            items=[VersionedMemberView.of(member) for member in listing.page.items],
            next_cursor=listing.next_cursor,
            total=listing.page.total,
        )
