"""What people can do with their organization. One call is one transaction, on behalf of one caller."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from services.organizations import roles
from services.organizations.feed import visible
from services.organizations.feed_views import FeedView
from services.organizations.member_desk import MemberDesk
from services.organizations.office import Office
from services.organizations.repository import Membership, Overview, memberships
from services.organizations.tables import FeedEntry
from services.organizations.team_desk import TeamDesk
from services.shared.feed import part
from services.shared.mcp.feed import Feed
from services.shared.problems import NotFound


@dataclass(frozen=True, slots=True)
class OrganizationDesk:
    """The use cases, for one caller; those with a member and with a team have desks of their own."""

    office: Office

    @property
    def members(self) -> MemberDesk:
        """Who belongs to the organization, and as what."""
        return MemberDesk(self.office)

    @property
    def teams(self) -> TeamDesk:
        """Who works with whom."""
        return TeamDesk(self.office)

    def now(self) -> datetime:
        """The time by which invitations expire."""
        return self.office.now()

    def whoami(self) -> Membership:
        """The caller's own membership, also while they are only invited.

        Raises:
            Forbidden: the caller may not even read that.
            NotFound: the token is about an organization or a member that is not here.
        """
        with self.office.reading(invited_too=True) as found:
            member, organization = found.own(self.office.caller.subject), found.organization()
        if member is None or organization is None:
            raise NotFound("There is no such member of the organization any more.")
        return Membership(member, organization)

    def my_organizations(self) -> Sequence[Membership]:
        """What the caller is a member of, or invited to: also where this token leads nowhere.

        Raises:
            Forbidden: scope or role do not allow it.
        """
        self.office.caller.require(roles.READ_SELF)
        with self.office.database.reading() as session:
            return memberships(session, self.office.caller.subject)

    def changes(self, after: int | None, mark: str | None = None, *, limit: int) -> FeedView:
        """What was done after a position that the caller may see; without one, where the feed ends.

        Raises:
            Forbidden: the caller may not read members.
            Conflict: the position, or the ``mark`` of it, is another feed's.
        """
        reach = self.office.reach
        with self.office.reading() as found:
            told = visible(reach)
            return FeedView.of(part(found.session, FeedEntry, reach.org_id, told, after=after, mark=mark, limit=limit))

    def following(self, *, limit: int) -> Feed[FeedView]:
        """The same, to be followed."""
        return Feed(partial(self.changes, limit=limit), self.office.database.news, topic=self.office.caller.org_id)

    def organization(self) -> Overview:
        """The caller's organization.

        Raises:
            Forbidden: the caller may not read it.
            NotFound: it is not known here.
        """
        with self.office.reading() as found:
            organization = found.organization()
            if organization is None:
                raise NotFound("There is no such organization here.")
            return Overview(organization, found.count_members(), found.count_teams())
