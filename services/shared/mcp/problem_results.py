"""Errors a model can act on: a tool result marked as error, with an RFC 9457 problem as its structured content."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import mcp_types
import pydantic
from fastmcp.exceptions import FastMCPError, NotFoundError, ValidationError
from fastmcp.server.middleware import CallNext, Middleware, MiddlewareContext
from fastmcp.tools import FunctionTool, ToolResult
from mcp import MCPError

from services.shared.problems import Flaw, Invalid, ProblemError

MOST_FLAWS = 20
"""A list of a hundred thousand wrong items is not answered with as many sentences."""

_Path = tuple[str | int, ...]


class ProblemTool(FunctionTool):
    """A tool whose refusals are results. Raised any further, FastMCP would log them as failures of the server."""

    async def run(self, arguments: dict[str, Any]) -> ToolResult:
        """Call the function, and say in the words of the domain what it refused."""
        try:
            _refuse_nul(arguments)
            return await super().run(arguments)
        except ProblemError as error:
            return _result(error)
        except ValidationError as error:
            return _result(_unfit(error.__cause__))


class ProtocolErrors(Middleware):
    """What is left: a tool that does not exist is an error of the protocol, and one that broke keeps its reasons."""

    async def on_call_tool(
        self,
        context: MiddlewareContext[mcp_types.CallToolRequestParams],
        call_next: CallNext[mcp_types.CallToolRequestParams, ToolResult],
    ) -> ToolResult:
        """Call the tool.

        Raises:
            MCPError: -32602, there is no such tool (MCP 2026-07-28, server/tools, error handling).
        """
        try:
            return await call_next(context)
        except NotFoundError as error:
            raise MCPError(mcp_types.INVALID_PARAMS, f"Unknown tool: {context.message.name}") from error
        except FastMCPError:
            return _result(ProblemError("The tool failed. The reason is in the server's log."))


def _result(error: ProblemError) -> ToolResult:
    return ToolResult(structured_content=json.loads(bytes(error.response().body)), is_error=True)


def _unfit(cause: BaseException | None) -> Invalid:
    found = (
        cause.errors(include_url=False, include_context=False, include_input=False)
        if isinstance(cause, pydantic.ValidationError)
        else []
    )
    return _invalid([Flaw(pointer=_pointer(error["loc"]), detail=error["msg"]) for error in found[:MOST_FLAWS]])


def _invalid(flaws: list[Flaw]) -> Invalid:
    return Invalid("The arguments do not fit the tool's input schema.", errors=flaws)


def _refuse_nul(arguments: dict[str, Any]) -> None:
    # Databases end a text there, or refuse it; a schema cannot say so in words every client understands.
    flaws = [
        Flaw(pointer=_pointer(path), detail="The text holds the character U+0000.")
        for path, text in _texts(arguments)
        if "\0" in text
    ]
    if flaws:
        raise _invalid(flaws[:MOST_FLAWS])


def _texts(value: object, path: _Path = ()) -> Iterator[tuple[_Path, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for name, member in value.items():
            yield (*path, name), name
            yield from _texts(member, (*path, name))
    elif isinstance(value, list):
        for place, item in enumerate(value):
            yield from _texts(item, (*path, place))


def _pointer(path: _Path) -> str:
    # The caller may have made up the names, so they are cut short.
    return ".".join(("arguments", *map(str, path)))[:100]
