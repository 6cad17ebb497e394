"""``get_ticket`` as a first server has it: FastMCP as it comes, no authorization, one query, the row as the answer.

``python bare_mcp.py PORT DATABASE``, on a copy of the database that our server reads.
"""

from __future__ import annotations

import json
import sqlite3
import sys
from threading import local

import uvicorn
from fastmcp import FastMCP
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

port, database = int(sys.argv[1]), sys.argv[2]
server = FastMCP("bare")
kept = local()


class Ticket(BaseModel):
    """A ticket as it stands now."""

    id: str
    key: str
    title: str
    description: str
    type: str
    status: str
    priority: str
    reporterId: str  # noqa: N815  # the name on the wire
    assigneeId: str | None  # noqa: N815
    labels: list[str]
    version: int
    createdAt: str  # noqa: N815
    updatedAt: str  # noqa: N815


@server.tool
def get_ticket(key: str) -> Ticket:
    """Read one ticket."""
    if not hasattr(kept, "connection"):
        kept.connection = sqlite3.connect(database)
        kept.connection.row_factory = sqlite3.Row
    row = kept.connection.execute("SELECT * FROM tickets WHERE key = ?", (key,)).fetchone()
    return Ticket(
        id=row["id"],
        key=row["key"],
        title=row["title"],
        description=row["description"],
        type=row["type"],
        status=row["status"],
        priority=row["priority"],
        reporterId=row["reporter_id"],
        assigneeId=row["assignee_id"],
        labels=json.loads(row["labels"]),
        version=row["version"],
        createdAt=row["created_at"],
        updatedAt=row["updated_at"],
    )


@server.custom_route("/healthz", methods=["GET"])
async def health(_request: Request) -> Response:
    """Ready."""
    return PlainTextResponse("ok")


uvicorn.run(server.http_app(), host="127.0.0.1", port=port, log_level="warning")
