"""Lists that come in pages: how they are asked for downstream, and how the next one is pointed out."""

from __future__ import annotations

from typing import Any

from fastapi import Request, Response

from services.api.mcp_server import McpServer, OutT
from services.api.views import PageQuery
from services.shared.problems import Invalid, NotFound

LINKED: dict[str, Any] = {
    "headers": {
        "Link": {
            "description": 'The next page, as `rel="next"` (RFC 8288); not on the last one.',
            "schema": {"type": "string"},
        }
    }
}
"""A page in the document."""


async def page(server: McpServer, tool: str, asked: PageQuery, returns: type[OutT], **more: str) -> OutT:
    """One page of what ``tool`` lists; ``more`` are arguments that no query has.

    Raises:
        NotFound: the cursor leads nowhere in this list. It is well-formed, so it is a page that is missing here.
        ProblemError: as `McpServer.read` does.
    """
    try:
        return await server.read(tool, {**more, **asked.model_dump(mode="json", exclude_none=True)}, returns)
    except Invalid as error:
        if asked.cursor is None:
            raise
        raise no_such_page() from error


def no_such_page() -> NotFound:
    """What is said of a cursor that leads nowhere in a list."""
    return NotFound("There is no such page in this list. Ask for the first one, without a cursor.")


def link(request: Request, response: Response, next_cursor: str | None) -> None:
    """Say where the next page is: the same list, with the cursor that leads there."""
    if next_cursor is not None:
        target = request.url.include_query_params(cursor=next_cursor)
        response.headers["Link"] = f'<{target.path}?{target.query}>; rel="next"'
