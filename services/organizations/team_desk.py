"""What can be done with teams. No two of an organization have the same name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from services.organizations import roles
from services.organizations.listing import Listing, place
from services.organizations.office import Office
from services.organizations.repository import Repository
from services.organizations.tables import Answered, Member, Team
from services.organizations.views import TeamView
from services.shared.idempotency import once
from services.shared.problems import Conflict, NotFound
from services.shared.world import seeded_id


@dataclass(frozen=True, slots=True)
class TeamListing:
    """A page of teams, and how many members each has."""

    listing: Listing[Team]
    sizes: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class TeamDesk:
    """The use cases with teams, for one caller."""

    office: Office

    def list(self, *, limit: int, cursor: str | None) -> TeamListing:
        """A page of the teams the caller may see: a requester, those they are in.

        Raises:
            Forbidden: the caller may not read members.
            Invalid: the cursor is not of this listing, or the team it stood at is gone.
        """
        listing = ("teams", self.office.reach)
        with self.office.reading() as found:
            page = found.teams(limit=limit, after=place(cursor, listing, found.team))
            return TeamListing(Listing.of(page, listing), found.sizes(page.items))

    def get(self, team_id: str) -> TeamView:
        """One team with those in it whom the caller may see.

        Raises:
            Forbidden: the caller may not read members.
            NotFound: there is no such team within the caller's sight.
        """
        with self.office.reading() as found:
            return _seen(found, _team(found, team_id))

    def ids_from(self, started: str, *, limit: int) -> Sequence[str]:
        """Ids of teams that begin so, or whose name does. Raises Forbidden."""
        with self.office.reading() as found:
            return found.team_ids_from(started, limit=limit)

    def create(self, name: str, *, key: str | None) -> TeamView:
        """A new team, without anybody in it. ``key`` makes a call safe to repeat: it is answered as the first time.

        Raises:
            Forbidden: the caller may not change teams.
            Conflict: there is a team of that name.
            Invalid: the key was used for another call.
        """
        office = self.office
        with office.writing(roles.CHANGE_TEAMS) as found:
            answer = once(
                found.session,
                Answered,
                caller=office.caller,
                tool="create_team",
                key=key,
                payload={"display_name": name},
                at=office.now(),
                act=lambda: self._created(found, name).model_dump(mode="json"),
            )
        return TeamView.model_validate(answer)

    def add_member(self, team_id: str, member_id: str) -> TeamView:
        """Somebody more in a team; whoever is in it already stays.

        Raises:
            Forbidden: the caller may not change teams.
            NotFound: there is no such team, or no such member.
            Conflict: the member was deactivated.
        """
        with self.office.writing(roles.CHANGE_TEAMS) as found:
            team, member = _team(found, team_id), _member(found, member_id)
            if member.status == "inactive":
                raise Conflict("The member was deactivated: invite_member asks them back, then they can join a team.")
            if found.put_into(team, member):
                team.version += 1
                self.office.tell_of_team(found, "team.member_added", team, member)
            found.session.flush()
            return _seen(found, team)

    def remove_member(self, team_id: str, member_id: str) -> TeamView:
        """Somebody less in a team; whoever is not in it stays out.

        Raises:
            Forbidden: the caller may not change teams.
            NotFound: there is no such team, or no such member.
        """
        with self.office.writing(roles.CHANGE_TEAMS) as found:
            team, member = _team(found, team_id), _member(found, member_id)
            if found.take_from(team, member):
                team.version += 1
                self.office.tell_of_team(found, "team.member_removed", team, member)
            found.session.flush()
            return _seen(found, team)

    def may_remove_member(self, team_id: str, member_id: str) -> tuple[Team, Member]:
        """Both as they are now, if ``remove_member`` would go through. Raises as it does."""
        with self.office.asking(roles.CHANGE_TEAMS) as found:
            return _team(found, team_id), _member(found, member_id)

    def _created(self, found: Repository, name: str) -> TeamView:
        same = found.team_named(name)
        if same is not None:
            raise Conflict(f"There is a team of that name already: {same.id}.")
        team = Team(
            org_id=self.office.caller.org_id,
            id=seeded_id("team", self.office.caller.org_id, name.casefold()),
            name=name,
            folded_name=name.casefold(),
            version=1,
        )
        found.add(team)
        self.office.tell_of_team(found, "team.created", team)
        return _seen(found, team)


def _team(found: Repository, team_id: str) -> Team:
    team = found.team(team_id)
    if team is None:
        raise NotFound("There is no such team in the organization.")
    return team


def _member(found: Repository, member_id: str) -> Member:
    member = found.member(member_id)
    if member is None:
        raise NotFound("There is no such member of the organization.")
    return member


def _seen(found: Repository, team: Team) -> TeamView:
    return TeamView.of(team, found.members_of(team))
