"""Errors as RFC 9457 problems: a tool's is a result marked as error, a resource's or a prompt's a protocol error."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping
from typing import Any

import mcp_types
import pydantic
from fastmcp.exceptions import FastMCPError, NotFoundError, ValidationError
from fastmcp.prompts import PromptResult
from fastmcp.resources import ResourceResult
from fastmcp.server.middleware import CallNext, Middleware, MiddlewareContext
from fastmcp.tools import FunctionTool, ToolResult
from mcp import MCPError

from services.shared.problems import Flaw, Invalid, NotFound, Problem, ProblemError

SERVICE_REFUSES = -32003
"""Of the codes that MCP leaves to implementations (-32000 to -32019); ``data.problem`` says why."""

MOST_FLAWS = 20
"""A list of a hundred thousand wrong items is not answered with as many sentences."""

_Path = tuple[str | int, ...]


def or_problem(answer: Mapping[str, Any]) -> dict[str, Any]:
    """The schema of what a tool answers or refuses with; both kinds of result have structured content.

    Most clients hold an error to the output schema as well, and keep it from their model where it does not fit.
    """
    kinds, shared = [dict(answer), _closed(Problem.model_json_schema())], dict[str, Any]()
    for kind in kinds:
        shared |= kind.pop("$defs", {})
    return {"type": "object", "anyOf": kinds} | ({"$defs": shared} if shared else {})


def _closed(schema: Any) -> Any:
    """The schema of objects that have no other members, without the titles that repeat their names."""
    if isinstance(schema, list):
        return [_closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {name: _closed(each) for name, each in schema.items() if name != "title" or isinstance(each, dict)}
    return kept | ({"additionalProperties": False} if kept.get("type") == "object" else {})


class Refused(FastMCPError):  # noqa: N818 - the problem in it has the name
    """The service refuses to tell a resource or a prompt. It is no failure of the server, and logged as none."""

    def __init__(self, problem: ProblemError) -> None:
        super().__init__(problem.detail, log_level=logging.DEBUG)
        self.problem = problem


class ProblemTool(FunctionTool):
    """A tool whose refusals are results. Raised any further, FastMCP would log them as failures of the server."""

    async def run(self, arguments: dict[str, Any]) -> ToolResult:
        """Call the function, and say in the words of the domain what it refused."""
        try:
            refuse_nul(arguments)
            return await super().run(arguments)
        except ProblemError as error:
            return _result(error)
        except ValidationError as error:
            return _result(unfit(error.__cause__))


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

    async def on_read_resource(
        self,
        context: MiddlewareContext[mcp_types.ReadResourceRequestParams],
        call_next: CallNext[mcp_types.ReadResourceRequestParams, ResourceResult],
    ) -> ResourceResult:
        """Read the resource.

        Raises:
            MCPError: -32602 with the URI, there is no such resource for the caller (MCP 2026-07-28, server/resources).
        """
        try:
            return await call_next(context)
        except Refused as error:
            raise _error(error.problem, {"uri": str(context.message.uri)}) from error

    async def on_get_prompt(
        self,
        context: MiddlewareContext[mcp_types.GetPromptRequestParams],
        call_next: CallNext[mcp_types.GetPromptRequestParams, PromptResult],
    ) -> PromptResult:
        """Render the prompt.

        Raises:
            MCPError: -32602, the arguments do not fit or name nothing.
        """
        try:
            return await call_next(context)
        except Refused as error:
            raise _error(error.problem, {}) from error


def _result(error: ProblemError) -> ToolResult:
    return ToolResult(structured_content=_told(error), is_error=True)


def _error(problem: ProblemError, data: Mapping[str, Any]) -> MCPError:
    # What the parameters name is not there, or they do not fit; else the service refuses, and says so in its own code.
    code = mcp_types.INVALID_PARAMS if isinstance(problem, NotFound | Invalid) else SERVICE_REFUSES
    return MCPError(code, problem.detail, {**data, "problem": _told(problem)})


def _told(error: ProblemError) -> Any:
    return json.loads(bytes(error.response().body))


def unfit(cause: BaseException | None) -> Invalid:
    """What a failed validation found, in our words: never what the caller sent."""
    found = (
        cause.errors(include_url=False, include_context=False, include_input=False)
        if isinstance(cause, pydantic.ValidationError)
        else []
    )
    return _invalid([Flaw(pointer=_pointer(error["loc"]), detail=error["msg"]) for error in found[:MOST_FLAWS]])


def _invalid(flaws: list[Flaw]) -> Invalid:
    return Invalid("The arguments do not fit the input schema.", errors=flaws)


def refuse_nul(arguments: Mapping[str, Any]) -> None:
    """Refuse texts that hold U+0000. Raises Invalid."""
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
    elif isinstance(value, Mapping):
        for name, member in value.items():
            yield (*path, name), name
            yield from _texts(member, (*path, name))
    elif isinstance(value, list):
        for place, item in enumerate(value):
            yield from _texts(item, (*path, place))


def _pointer(path: _Path) -> str:
    # The caller may have made up the names, so they are cut short.
    return ".".join(("arguments", *map(str, path)))[:100]
