"""The tools the assistant may use for one caller."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

from pydantic_ai import ModelRetry, RunContext
from pydantic_ai.exceptions import ToolFailed
from pydantic_ai.mcp import CallToolFunc, MCPToolset, ToolResult
from pydantic_ai.tools import ToolDefinition
from pydantic_ai.toolsets import AbstractToolset

from services.api.mcp_server import McpServer
from services.shared.problems import InsufficientScope, ProblemError

FOR_PROGRAMS = frozenset({"list_changes"})
"""Tools by which a program follows what happens: a model that waits for news keeps its person waiting. Both servers
have one of that name, and a model is to know which it calls."""


@dataclass(frozen=True)
class Toolbox:
    """The servers that accept the caller, each called with the caller's own authority.

    Tools that destroy something are left out: nobody can be asked yet before a model calls one. So are those that are
    for programs.
    """

    servers: tuple[McpServer, ...]

    @classmethod
    async def open_to(cls, *servers: McpServer) -> Toolbox:
        """Those of ``servers`` the caller's token is good for: one sign-in need not reach them all.

        Raises:
            ProblemError: a token cannot be had for any other reason.
        """
        accepting = []
        for server in servers:
            try:
                await server.authorize()
            except InsufficientScope:
                continue
            accepting.append(server)
        return cls(tuple(accepting))

    async def names(self) -> list[str]:
        """Names of all tools, in the servers' order.

        Raises:
            ProblemError: a server cannot be reached.
        """
        tools = [tool for server in self.servers for tool in await server.tools()]
        return [
            tool.name
            for tool in tools
            if _is_for_models(tool.name, destroys=bool(tool.annotations and tool.annotations.destructive_hint))
        ]

    def failure(self, error: Exception) -> ProblemError | None:
        """What ``error``, which ended a run with these tools, means for our caller, if it came from a server."""
        return next((server.failure(error) for server in self.servers if server.broken), None)

    def toolsets(self) -> list[AbstractToolset[None]]:
        """The tools as the agent takes them. A tool that fails tells the model so, and does not end the run."""
        return [
            MCPToolset(
                server.client(),
                id=server.name,
                tool_error_behavior="failed",
                process_tool_call=partial(_explaining, server),
            ).filtered(_offered)
            for server in self.servers
        ]


def _offered(_: RunContext[object], tool: ToolDefinition) -> bool:
    destroys = ((tool.metadata or {}).get("annotations") or {}).get("destructiveHint", False)
    return _is_for_models(tool.name, destroys=destroys)


def _is_for_models(name: str, *, destroys: bool) -> bool:
    return not destroys and name not in FOR_PROGRAMS


async def _explaining(
    server: McpServer, _: RunContext[None], call: CallToolFunc, tool: str, arguments: dict[str, Any]
) -> ToolResult:
    """Call a tool; if the server refuses below the level of tools, tell the model what was missing.

    The toolset alone would pass on that there was "an error response", and ask the model to try again.
    """
    try:
        return await call(tool, arguments)
    except ModelRetry as error:
        if not server.broken:
            raise
        raise ToolFailed(bytes(server.failure(error).response().body).decode()) from error
