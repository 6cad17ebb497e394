"""What people can do with their organization. One call is one transaction, on behalf of one caller."""

from __future__ import annotations

from dataclasses import dataclass

from services.organizations import roles
from services.organizations.directory import Directory
from services.organizations.repository import MemberRepository, Page, Wanted
from services.organizations.roles import Role
from services.organizations.tables import Member, Organization
from services.shared.database import Database
from services.shared.mcp import cursor as cursors
from services.shared.permissions import Caller
from services.shared.problems import Conflict, NotFound


@dataclass(frozen=True, slots=True)
class Membership:
    """A person and the organization they are a member of."""

    member: Member
    organization: Organization


@dataclass(frozen=True, slots=True)
class Listing:
    """A page of members and the cursor of the next one."""

    page: Page
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class OrganizationDesk:
    """The use cases, for one caller."""

    caller: Caller
    database: Database
    directory: Directory

    def whoami(self) -> Membership:
        """The caller's own membership.

        Raises:
            Forbidden: the caller may not even read that.
            NotFound: the token is about an organization or a member that is not here.
        """
        reach = roles.reach(self.caller)
        with self.database.reading() as session:
            members = MemberRepository(session, reach)
            member, organization = members.find(self.caller.subject), members.organization()
        if member is None or organization is None:
            raise NotFound("There is no such member of the organization any more.")
        return Membership(member, organization)

    def list_members(self, wanted: Wanted, *, limit: int, cursor: str | None) -> Listing:
        """A page of the members the caller may see.

        Raises:
            Forbidden: the caller may not read members.
            Invalid: the cursor is not of this listing, or the member it stood at is gone.
        """
        reach = roles.reach(self.caller)
        listing = (reach, wanted)
        with self.database.reading() as session:
            members = MemberRepository(session, reach)
            after = None
            if cursor is not None:
                after = members.find(cursors.unseal(cursor, str, listing=listing))
                if after is None:
                    raise cursors.refused()
            page = members.page(wanted, limit=limit, after=after)
        return Listing(page, None if page.end is None else cursors.seal(page.end, listing=listing))

    def update_member_role(self, member_id: str, role: Role, *, expected_version: int) -> Member:
        """Give a member another role, here and at the identity provider: either both have it afterwards or neither.

        The transaction is committed when the provider has confirmed. If it has heard and its answer is lost, nothing
        changes here, and the same call again puts both in step; so does setting a role that is set already.

        Raises:
            Forbidden: the caller may not change roles, or not this one.
            NotFound: there is no such member within the caller's sight.
            Conflict: the member was changed since, or is the last owner.
            Unavailable: the provider cannot be reached.
            BadGateway: the provider refuses.
        """
        self.caller.require(roles.CHANGE_ROLES)
        with self.directory.turn, self.database.writing() as session:
            members = MemberRepository(session, roles.Reach(self.caller.org_id))
            member = members.find(member_id)
            if member is None:
                raise NotFound("There is no such member of the organization.")
            roles.require_change(self.caller, member.role, role)
            if member.version != expected_version:
                raise Conflict(f"The member is at version {member.version} by now: read it again.")
            if member.role == "owner" != role and members.owners() == 1:
                raise Conflict("The organization needs an owner: make somebody else one first.")
            if member.role != role:
                member.role, member.version = role, member.version + 1
                session.flush()
            self.directory.set_role(member.id, role)
        return member
