"""Lists that come in pages."""

from __future__ import annotations

from services.api.mcp_server import McpServer, OutT
from services.api.views import PageQuery
from services.shared.problems import Invalid, NotFound


async def page(server: McpServer, tool: str, asked: PageQuery, returns: type[OutT]) -> OutT:
    """One page of what ``tool`` lists.

    Raises:
        NotFound: the cursor leads nowhere in this list. It is well-formed, so it is a page that is missing here.
        ProblemError: as `McpServer.call` does.
    """
    try:
        return await server.call(tool, asked.model_dump(mode="json", exclude_none=True), returns)
    except Invalid as error:
        if asked.cursor is None:
            raise
        raise NotFound("There is no such page in this list. Ask for the first one, without a cursor.") from error
