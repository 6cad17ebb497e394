"""``get_ticket`` as a first server has it: FastMCP as it comes, no authorization, one query, the row as the answer.

``python bare_mcp.py PORT DATABASE DERIVED``, on the database that our server reads. What ours derives instead of
reading it is given as JSON: here it costs nothing.
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

port, database, derived = int(sys.argv[1]), sys.argv[2], json.loads(sys.argv[3])
server = FastMCP("bare")
kept = local()


class Sla(BaseModel):
    """What is owed."""

    policy: str
    state: str
    firstResponseDueAt: str  # noqa: N815  # the names on the wire
    resolutionDueAt: str | None  # noqa: N815
    pausedSeconds: int  # noqa: N815
    pausedSince: str | None  # noqa: N815


class Ticket(BaseModel):
    """A ticket as it stands now."""

    id: str
    key: str
    title: str
    description: str
    type: str
    status: str
    statusCategory: str  # noqa: N815
    priority: str
    resolution: str | None
    reporterId: str  # noqa: N815
    assigneeId: str | None  # noqa: N815
    teamId: str | None  # noqa: N815
    labels: list[str]
    sla: Sla
    version: int
    createdAt: str  # noqa: N815
    updatedAt: str  # noqa: N815
    resolvedAt: str | None  # noqa: N815
    comments: list[str] | None
    history: list[str] | None


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
        statusCategory=derived["statusCategory"],
        priority=row["priority"],
        resolution=row["resolution"],
        reporterId=row["reporter_id"],
        assigneeId=row["assignee_id"],
        teamId=row["team_id"],
        labels=json.loads(row["labels"]),
        sla=derived["sla"],
        version=row["version"],
        createdAt=_time(row["created_at"]),
        updatedAt=_time(row["updated_at"]),
        resolvedAt=derived["resolvedAt"],
        comments=None,
        history=None,
    )


def _time(stored: str) -> str:
    return f"{stored.partition('.')[0].replace(' ', 'T')}Z"


@server.custom_route("/healthz", methods=["GET"])
async def health(_request: Request) -> Response:
    """Ready."""
    return PlainTextResponse("ok")


uvicorn.run(server.http_app(), host="127.0.0.1", port=port, log_level="warning")
