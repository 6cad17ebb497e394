"""A completion as it is declared: values that go on from what somebody has typed, for the argument of a name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial

import mcp_types
from anyio import to_thread
from fastmcp import FastMCP
from fastmcp.server.completions import CompletionReference
from fastmcp.server.context import Context
from mcp import MCPError

from services.shared.mcp.desk import desk
from services.shared.problems import ProblemError

LONGEST_START = 200
"""Characters; no value that could be completed has as many."""


@dataclass(frozen=True, slots=True)
class ScopedCompletion:
    """What completes an argument, and the scopes a token needs for it."""

    function: Callable[..., list[str]]
    argument: str
    scopes: frozenset[str]


def completes(argument: str, *, scope: str) -> Callable[[Callable[..., list[str]]], ScopedCompletion]:
    """Declare what completes an argument wherever a prompt or a resource template has one of that name.

    It is a function of the desk and of what was typed so far. The first hundred values are told.
    """

    def declare(function: Callable[..., list[str]]) -> ScopedCompletion:
        return ScopedCompletion(function, argument, frozenset(scope.split()))

    return declare


class Completions:
    """Answers ``completion/complete``."""

    def __init__(
        self, declared: Iterable[ScopedCompletion], *, arguments: Mapping[str, frozenset[str]], server: FastMCP
    ) -> None:
        """``arguments`` says which each prompt (by name) and each template (by URI) of ``server`` has."""
        self._server = server
        self._functions = {each.argument: each.function for each in declared}
        self._arguments = arguments

    async def __call__(
        self,
        reference: CompletionReference,
        argument: mcp_types.CompletionArgument,
        _context: mcp_types.CompletionContext | None,
    ) -> list[str]:
        """Values for the argument; none for who may not see any.

        Raises:
            MCPError: -32602, there is no such prompt or template, or it has no such argument.
        """
        name = reference.name if isinstance(reference, mcp_types.PromptReference) else reference.uri
        if argument.name not in self._arguments.get(name, frozenset()):
            raise MCPError(mcp_types.INVALID_PARAMS, "There is no such prompt or template with such an argument.")
        function = self._functions.get(argument.name)
        if function is None or len(argument.value) > LONGEST_START or "\0" in argument.value:
            return []
        try:
            async with Context(self._server):  # FastMCP enters one for everything else
                return await to_thread.run_sync(partial(function, desk(), argument.value))
        except ProblemError:
            return []
