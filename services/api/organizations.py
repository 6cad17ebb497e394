"""The organizations service, with the caller's authority."""

from __future__ import annotations

from services.api.mcp_server import McpServer
from services.api.paging import page
from services.api.people_views import (
    Me,
    Member,
    MemberInvite,
    MemberPage,
    MemberQuery,
    Memberships,
    OrganizationOverview,
    Role,
    Team,
    TeamCreate,
    TeamPage,
)
from services.api.views import PageQuery
from services.shared.problems import Conflict, Stale


class Organizations:
    """Its tools as methods. Every one raises `ProblemError` when the service refuses or cannot be reached.

    ``key``: see `idempotency`.
    """

    def __init__(self, server: McpServer) -> None:
        self._server = server

    async def whoami(self) -> Me:
        """The caller, with role and organization."""
        return await self._server.read("whoami", {}, Me)

    async def mine(self) -> Memberships:
        """The organizations the caller is a member of or invited to."""
        return await self._server.read("list_my_organizations", {}, Memberships)

    async def current(self) -> OrganizationOverview:
        """The organization the caller's token is about."""
        return await self._server.read("get_organization", {}, OrganizationOverview)

    async def members(self, asked: MemberQuery) -> MemberPage:
        """Members of the caller's organization."""
        return await page(self._server, "list_members", asked, MemberPage)

    async def member(self, member_id: str) -> Member:
        """One of them."""
        return await self._server.read("get_member", {"user_id": member_id}, Member)

    async def invite(self, invited: MemberInvite, *, key: str | None) -> Member:
        """Ask somebody to join."""
        return await self._server.create("invite_member", invited.model_dump(mode="json"), Member, key=key)

    async def accept(self) -> Member:
        """Accept the invitation of the caller."""
        return await self._server.change("accept_invitation", {}, Member, repeatable=True)

    async def change_role(self, member_id: str, role: Role, *, expected_version: int) -> Member:
        """Give a member another role. Raises Stale, too: somebody changed the member since."""
        arguments = {"user_id": member_id, "role": role, "expected_version": expected_version}
        try:
            return await self._server.change("update_member_role", arguments, Member, meant=True)
        except Conflict as error:
            if (await self.member(member_id)).version != expected_version:
                raise Stale(error.detail) from error
            raise

    async def deactivate(self, member_id: str) -> Member:
        """End a membership."""
        return await self._server.change(
            "deactivate_member", {"user_id": member_id}, Member, repeatable=True, meant=True
        )

    async def teams(self, asked: PageQuery) -> TeamPage:
        """The teams of the organization that the caller may see."""
        return await page(self._server, "list_teams", asked, TeamPage)

    async def team(self, team_id: str) -> Team:
        """One of them, with who is in it."""
        return await self._server.read("get_team", {"team_id": team_id}, Team)

    async def create_team(self, team: TeamCreate, *, key: str | None) -> Team:
        """A new team without members."""
        return await self._server.create("create_team", team.model_dump(mode="json"), Team, key=key)

    async def add_to_team(self, team_id: str, member_id: str) -> Team:
        """Somebody more in a team."""
        arguments = {"team_id": team_id, "user_id": member_id}
        return await self._server.change("add_team_member", arguments, Team, repeatable=True)

    async def remove_from_team(self, team_id: str, member_id: str) -> Team:
        """Somebody less in a team."""
        arguments = {"team_id": team_id, "user_id": member_id}
        return await self._server.change("remove_team_member", arguments, Team, repeatable=True, meant=True)
