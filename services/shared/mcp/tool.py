"""A tool as it is declared: the function, the scope its caller must hold, and what calling it does to the world."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from fastmcp.tools import FunctionTool
from fastmcp.utilities.json_schema import dereference_refs
from mcp_types import Icon, ToolAnnotations
from pydantic import BaseModel

from services.shared.mcp.confirmation import confirmed
from services.shared.mcp.desk import desk
from services.shared.mcp.problem_results import ProblemTool, or_problem

__all__ = ["CREATE", "DESTROY", "OVERWRITE", "READ", "UPDATE", "ScopedTool", "desk", "tool"]


def _hints(*, read_only: bool = False, destructive: bool = False, idempotent: bool = False) -> ToolAnnotations:
    return ToolAnnotations(
        read_only_hint=read_only, destructive_hint=destructive, idempotent_hint=idempotent, open_world_hint=False
    )


READ = _hints(read_only=True, idempotent=True)
CREATE = _hints()
UPDATE = _hints(idempotent=True)
DESTROY = _hints(destructive=True, idempotent=True)
OVERWRITE = _hints(destructive=True)


@dataclass(frozen=True, slots=True)
class ScopedTool:
    """A tool and the scopes a token needs for it. What is no coroutine runs in a thread."""

    function: Callable[..., BaseModel | Awaitable[BaseModel]]
    scopes: frozenset[str]
    hints: ToolAnnotations
    title: str
    confirm: Callable[..., str] | None = None

    @property
    def name(self) -> str:
        """The function's name is the tool's."""
        return self.function.__name__

    def built(self, icons: list[Icon]) -> FunctionTool:
        """This tool as FastMCP serves it; its schemas come from the signature, without references."""
        function = self.function if self.confirm is None else confirmed(self.function, self.confirm)
        built = ProblemTool.from_function(function, title=self.title, annotations=self.hints, icons=icons)
        built.parameters = dereference_refs(built.parameters)
        built.output_schema = dereference_refs(or_problem(built.output_schema or {}))
        return built


def tool(
    *, scope: str, hints: ToolAnnotations, title: str = "", confirm: Callable[..., str] | None = None
) -> Callable[[Callable[..., BaseModel | Awaitable[BaseModel]]], ScopedTool]:
    """Declare a tool. ``scope`` is space-separated as in RFC 6749 §3.3: all of them are needed.

    ``title`` is what people read, the name in words unless given. With ``confirm``, a function of the same arguments
    that returns a question, no call runs that a person has not said yes to; it raises what keeps the call from
    succeeding, before anybody is asked. What destroys something must ask.
    """
    if hints.destructive_hint and confirm is None:
        raise TypeError("a destructive tool asks a person first: declare it with confirm")

    def declare(function: Callable[..., BaseModel | Awaitable[BaseModel]]) -> ScopedTool:
        words = title or function.__name__.replace("_", " ").capitalize()
        return ScopedTool(function, frozenset(scope.split()), hints, words, confirm)

    return declare
