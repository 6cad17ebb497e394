"""The organizations service, with the caller's authority."""

from __future__ import annotations

from services.api.mcp_server import McpServer
from services.api.paging import page
from services.api.views import Me, MemberPage, MemberQuery


class Organizations:
    """Its tools as methods. Every one raises `ProblemError` when the service refuses or cannot be reached."""

    def __init__(self, server: McpServer) -> None:
        self._server = server

    async def whoami(self) -> Me:
        """The caller, with role and organization."""
        return await self._server.call("whoami", {}, Me, repeatable=True)

    async def members(self, asked: MemberQuery) -> MemberPage:
        """Members of the caller's organization."""
        return await page(self._server, "list_members", asked, MemberPage)
