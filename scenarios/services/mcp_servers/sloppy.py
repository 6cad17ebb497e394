"""An MCP server with one tool for each flaw that the fuzzer is to find."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Annotated, Any

from fastmcp.dependencies import Depends
from pydantic import Field

from services.shared.mcp.server import Deployment, ToolServer
from services.shared.mcp.tool import CREATE, READ, UPDATE, ScopedTool, desk, tool
from services.shared.mcp.view import View
from services.shared.permissions import Caller
from services.shared.problems import Conflict, Invalid


@dataclass(frozen=True)
class SloppyDesk:
    """Notes in a file, and a gate that nobody opens."""

    file: Path
    gate: Event

    def note(self) -> None:
        """Write something down."""
        with closing(sqlite3.connect(self.file)) as database, database:
            database.execute("INSERT INTO notes VALUES ('noted')")


class NoteView(View):
    """What was noted."""

    text: str


Desk = Annotated[SloppyDesk, Depends(desk)]
Text = Annotated[str, Field(max_length=5)]


@tool(scope="tickets:read", hints=CREATE)
def honest(desk: Desk, text: Text) -> NoteView:
    """Note something, as one should."""
    desk.note()
    return NoteView(text=text)


@tool(scope="tickets:read", hints=CREATE)
def breaks(desk: Desk, text: Text) -> NoteView:
    """Have a bug."""
    raise LookupError(text)


@tool(scope="tickets:read", hints=CREATE)
def writes_and_refuses(desk: Desk, text: Text) -> NoteView:
    """Commit before the check."""
    desk.note()
    raise Conflict("Too late.")


@tool(scope="tickets:read", hints=CREATE)
def checks_nothing(desk: Desk, text: Annotated[str, Field(json_schema_extra={"maxLength": 5})]) -> NoteView:
    """Promise a bound and have none."""
    return NoteView(text=text)


@tool(scope="tickets:read", hints=CREATE)
def answers_otherwise(desk: Desk, text: Text) -> NoteView:
    """Answer what the schema has not said."""
    wrong: Any = 7
    return NoteView.model_construct(text=wrong)


@tool(scope="tickets:read", hints=CREATE)
def tells_all(desk: Desk, text: Text) -> NoteView:
    """Show where it went wrong."""
    raise Invalid(f'Traceback (most recent call last):\n  File "/srv/app.py", line 1\n{text}')


@tool(scope="tickets:read", hints=READ)
def reads_and_writes(desk: Desk, text: Text) -> NoteView:
    """Say that it only reads."""
    desk.note()
    return NoteView(text=text)


@tool(scope="tickets:read", hints=UPDATE)
def does_it_again(desk: Desk, text: Text) -> NoteView:
    """Say that once is as good as twice."""
    desk.note()
    return NoteView(text=text)


@tool(scope="tickets:read", hints=CREATE)
def hangs(desk: Desk, text: Text) -> NoteView:
    """Wait for somebody who does not come."""
    desk.gate.wait()
    return NoteView(text=text)


FLAWS: tuple[tuple[ScopedTool, str], ...] = (
    (breaks, "the tool broke"),
    (writes_and_refuses, "it was refused, and yet something has changed"),
    (checks_nothing, "arguments that break the input schema were accepted"),
    (answers_otherwise, "the answer breaks the output schema"),
    (reads_and_writes, "it says that it only reads, and yet something has changed"),
    (does_it_again, "it says that doing it again has no effect, it was done again, and yet something has changed"),
    (tells_all, "the answer tells of the server's inside"),
)


def server(file: Path, gate: Event, *, url: str, issuer: str) -> ToolServer:
    """The server; it takes the tokens that are for ``url``, and keeps its notes in ``file``."""
    with closing(sqlite3.connect(file)) as database, database:
        database.execute("CREATE TABLE notes (text)")

    def lend(_caller: Caller) -> SloppyDesk:
        return SloppyDesk(file, gate)

    @asynccontextmanager
    async def deploy() -> AsyncIterator[Deployment]:
        yield Deployment(url=url, issuer=issuer, instance_nonce="", desk_for=lend)

    return ToolServer(
        "sloppy",
        instructions="Notes.",
        tools=(honest, hangs, *(flawed for flawed, _ in FLAWS)),
        first_scope="tickets:read",
        deploy=deploy,
    )
