"""What can be done with members: read, invite, give a role, deactivate. The identity provider is told, or nothing is.

Whatever changes somebody's role or sign-in is checked, then told to the provider, and stored when that has confirmed:
nobody waits for the network with the database in their hands. If the provider has heard and its answer is lost, nothing
changes here, and the same call again puts both in step. What others stored meanwhile stands, and is told it instead.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from services.organizations import membership, roles
from services.organizations.directory import Account, Newcomer
from services.organizations.listing import Listing, place
from services.organizations.office import Office
from services.organizations.repository import Access, Repository, Wanted
from services.organizations.roles import Reach, Role
from services.organizations.tables import Answered, Member, searched
from services.organizations.views import VersionedMemberView
from services.shared.idempotency import answered, once
from services.shared.permissions import Permission
from services.shared.problems import Conflict, Flaw, Forbidden, Invalid, NotFound

LONGEST_NAME = 200
"""Characters that the identity provider takes; until a newcomer says theirs, they are called by their address."""

_NOBODY = "There is no such member of the organization."


@dataclass(frozen=True, slots=True)
class MemberDesk:
    """The use cases with members, for one caller."""

    office: Office

    def list(self, wanted: Wanted, *, limit: int, cursor: str | None) -> Listing[Member]:
        """A page of the members the caller may see.

        Raises:
            Forbidden: the caller may not read members.
            Invalid: the cursor is not of this listing, or the member it stood at is gone.
        """
        listing = ("members", self.office.reach, wanted)
        with self.office.reading() as found:
            after = place(cursor, listing, found.member)
            return Listing.of(found.members(wanted, limit=limit, after=after), listing)

    def get(self, member_id: str | None, email: str | None) -> Member:
        """One member, by the one or the other.

        Raises:
            Forbidden: the caller may not read members.
            NotFound: there is nobody like that within the caller's sight.
            Invalid: not exactly one of the two is given.
        """
        if (member_id is None) == (email is None):
            advice = "Give user_id or email, and not both."
            flaws = [Flaw(pointer=f"arguments.{name}", detail=advice) for name in ("user_id", "email")]
            raise Invalid("A member is looked up by exactly one thing.", errors=flaws)
        if email is not None:
            member = self.find(email)
        else:
            with self.office.reading() as found:
                member = found.member(member_id or "")
        if member is None:
            raise NotFound(_NOBODY)
        return member

    def find(self, email: str) -> Member | None:
        """The member of that address, if there is one within the caller's sight. Raises Forbidden."""
        with self.office.reading() as found:
            return found.member_by_email(email)

    def emails_from(self, started: str, *, limit: int) -> Sequence[str]:
        """Addresses of members that begin so. Raises Forbidden."""
        with self.office.reading() as found:
            return found.emails_from(started, limit=limit)

    def access(self) -> Access:
        """Who may do what, for a review: owners and admins, and the first hundred who are invited. Raises Forbidden."""
        most = 100
        with self.office.reading() as found:
            wanted = [Wanted(role="owner"), Wanted(role="admin")]
            in_charge = [member for each in wanted for member in found.members(each, limit=most, after=None).items]
            invited = found.members(Wanted(status="invited"), limit=most, after=None).items
            return Access(found.count_by_standing(), in_charge, invited)

    def invite(self, email: str, role: Role, *, key: str | None) -> VersionedMemberView:
        """Invite somebody new, renew an invitation, or ask back whoever was deactivated. ``key`` makes a call safe to
        repeat: it is answered as the first time.

        Raises:
            Forbidden: the caller may not invite, or not an owner.
            Conflict: they are an active member, or somebody else invited them meanwhile.
            Invalid: the key was used for another call.
            Unavailable, BadGateway: the provider did not confirm it.
        """
        office = self.office
        call: dict[str, Any] = {
            "caller": office.caller,
            "tool": "invite_member",
            "key": key,
            "payload": {"email": email, "role": role},
            "at": office.now(),
        }
        with office.in_turn(roles.INVITE) as directory:
            with office.asking(roles.INVITE) as found:
                office.require_change(found, roles.INVITE, role)
                answer = answered(found.session, Answered, **call)
                if answer is not None:
                    return VersionedMemberView.model_validate(answer)
                member, newcomer = self._to_invite(found, email, role), self._newcomer(found, email, role)
            if member is None:
                account = Account(directory.enrol(newcomer), newcomer.org_id, role)
            else:
                account = Account(member.id, member.org_id, role)
                directory.deactivate(account)
            with self._storing(roles.INVITE, account.id) as found:

                def act() -> dict[str, Any]:
                    _require_same(member, self._to_invite(found, email, role))
                    return self._invited(found, newcomer, account.id).model_dump(mode="json")

                answer = once(found.session, Answered, **call, act=act)
        return VersionedMemberView.model_validate(answer)

    def accept(self) -> Member:
        """The caller becomes a member of the organization they are invited to.

        Raises:
            Forbidden: scope or role do not allow it.
            NotFound: the caller is not known here.
            Conflict: the invitation has expired.
        """
        office = self.office
        with office.writing(roles.ACCEPT, invited_too=True) as found:
            member = _known(found, office.caller.subject)
            if member.become(membership.accepted(member.standing, at=office.now())):
                office.tell_of_member(found, "member.joined", member)
        return member

    def change_role(self, member_id: str, role: Role, *, expected_version: int) -> Member:
        """Give a member another role. One that is set already is told to the provider again.

        Raises:
            Forbidden: the caller may not change roles, or not this one.
            NotFound: there is no such member.
            Conflict: the member was changed since, was deactivated, or is the last owner.
            Unavailable: the provider cannot be reached.
            BadGateway: the provider refuses.
        """
        with self.office.in_turn(roles.CHANGE_ROLES) as directory:
            before = self.may_change_role(member_id, role, expected_version=expected_version)
            directory.set_role(Account(before.id, before.org_id, role))
            with self._storing(roles.CHANGE_ROLES, member_id) as found:
                member = self._to_change(found, member_id, role, expected_version)
                if member.become(membership.given(member.standing, role, owners=found.owners())):
                    self.office.tell_of_member(found, "member.role_changed", member)
        return member

    def may_change_role(self, member_id: str, role: Role, *, expected_version: int) -> Member:
        """The member as they are now, if ``change_role`` would go through. Raises as it does."""
        with self.office.asking(roles.CHANGE_ROLES) as found:
            member = self._to_change(found, member_id, role, expected_version)
            membership.given(member.standing, role, owners=found.owners())
        return member

    def deactivate(self, member_id: str) -> Member:
        """End a membership: the person signs in no more, and is still named in what they did.

        Raises:
            Forbidden: the caller may not deactivate members, or not an owner.
            NotFound: there is no such member.
            Conflict: it is the last owner, or the member was changed meanwhile.
            Unavailable: the provider cannot be reached.
            BadGateway: the provider refuses.
        """
        with self.office.in_turn(roles.DEACTIVATE) as directory:
            before = self.may_deactivate(member_id)
            directory.deactivate(_account(before))
            with self._storing(roles.DEACTIVATE, member_id) as found:
                member = self._to_deactivate(found, member_id)
                _require_same(before, member)
                if member.become(membership.deactivated(member.standing, owners=found.owners())):
                    self.office.tell_of_member(found, "member.deactivated", member)
        return member

    def may_deactivate(self, member_id: str) -> Member:
        """The member as they are now, if ``deactivate`` would go through. Raises as it does."""
        with self.office.asking(roles.DEACTIVATE) as found:
            member = self._to_deactivate(found, member_id)
            membership.deactivated(member.standing, owners=found.owners())
        return member

    def _to_change(self, found: Repository, member_id: str, role: Role, expected_version: int) -> Member:
        member = _known(found, member_id)
        self.office.require_change(found, roles.CHANGE_ROLES, member.role, role)
        if member.version != expected_version:
            raise Conflict(
                f"The member is at version {member.version} by now: read it again.",
                errors=[Flaw(pointer="arguments.expected_version", detail=f"The present version is {member.version}.")],
            )
        return member

    def _to_deactivate(self, found: Repository, member_id: str) -> Member:
        member = _known(found, member_id)
        self.office.require_change(found, roles.DEACTIVATE, member.role)
        return member

    def _to_invite(self, found: Repository, email: str, role: Role) -> Member | None:
        member = found.member_by_email(email)
        self.office.require_change(found, roles.INVITE, role if member is None else member.role, role)
        membership.invited(None if member is None else member.standing, role, at=self.office.now())
        return member

    def _invited(self, found: Repository, newcomer: Newcomer, member_id: str) -> VersionedMemberView:
        at, member = self.office.now(), found.member_by_email(newcomer.email)
        standing = membership.invited(None if member is None else member.standing, newcomer.role, at=at)
        if member is not None:
            if member.become(standing):
                self.office.tell_of_member(found, "member.invited", member)
            found.session.flush()
            return VersionedMemberView.of_known(member, at=at)
        member = Member(
            org_id=newcomer.org_id,
            id=member_id,
            username=newcomer.username,
            name=newcomer.name,
            email=newcomer.email,
            role=standing.role,
            status=standing.status,
            invited_until=standing.invited_until,
            version=1,
            searched=searched(username=newcomer.username, name=newcomer.name, email=newcomer.email),
            folded_email=newcomer.email.casefold(),
        )
        found.add(member)
        self.office.tell_of_member(found, "member.invited", member)
        return VersionedMemberView.of_known(member, at=at)

    @contextmanager
    def _storing(self, permission: Permission, member_id: str) -> Iterator[Repository]:
        """``office.writing`` of what the provider has heard. If by now it is refused, that hears what is stored."""
        try:
            with self.office.writing(permission) as found:
                yield found
        except (Forbidden, NotFound, Conflict, Invalid):
            with self.office.database.reading() as session:
                stored = Repository(session, Reach(self.office.caller.org_id)).member(member_id)
            if stored is not None:
                self._put_back(stored)
            raise

    def _put_back(self, stored: Member) -> None:
        directory, account = self.office.directory, _account(stored)
        if stored.status == "active":
            directory.reactivate(account)
        elif stored.status == "inactive":
            directory.deactivate(account)
        else:
            directory.set_role(account)

    def _newcomer(self, found: Repository, email: str, role: Role) -> Newcomer:
        organization = found.organization()
        if organization is None:
            raise NotFound("There is no such organization here.")
        # Two organizations may invite the same address, and neither may learn of the other by it.
        username = f"{organization.slug}:{email.casefold()}"
        return Newcomer(username, name=email[:LONGEST_NAME], email=email, org_id=organization.id, role=role)


def _known(found: Repository, member_id: str) -> Member:
    member = found.member(member_id)
    if member is None:
        raise NotFound(_NOBODY)
    return member


def _require_same(before: Member | None, now: Member | None) -> None:
    if (before and before.version) != (now and now.version):
        raise Conflict("Nothing was changed: somebody else changed the member meanwhile. Read again, and call again.")


def _account(member: Member) -> Account:
    return Account(member.id, member.org_id, member.role)
