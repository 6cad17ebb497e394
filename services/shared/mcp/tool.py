"""A tool as it is declared: the function, the scope its caller must hold, and what calling it does to the world."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fastmcp.server.dependencies import get_context
from fastmcp.tools import FunctionTool
from mcp_types import ToolAnnotations
from pydantic import BaseModel

from services.shared.mcp.authorization import current_caller
from services.shared.mcp.problem_results import ProblemTool

READ = ToolAnnotations(read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=False)
OVERWRITE = ToolAnnotations(read_only_hint=False, destructive_hint=True, idempotent_hint=False, open_world_hint=False)
CREATE = ToolAnnotations(read_only_hint=False, destructive_hint=False, idempotent_hint=False, open_world_hint=False)


@dataclass(frozen=True, slots=True)
class ScopedTool:
    """A tool and the scopes a token needs for it."""

    function: Callable[..., BaseModel]
    scopes: frozenset[str]
    hints: ToolAnnotations

    @property
    def name(self) -> str:
        """The function's name is the tool's."""
        return self.function.__name__

    def built(self) -> FunctionTool:
        """This tool as FastMCP serves it; its schemas come from the signature."""
        return ProblemTool.from_function(self.function, annotations=self.hints)


def tool(*, scope: str, hints: ToolAnnotations) -> Callable[[Callable[..., BaseModel]], ScopedTool]:
    """Declare a tool. ``scope`` is space-separated as in RFC 6749 §3.3: all of them are needed."""

    def declare(function: Callable[..., BaseModel]) -> ScopedTool:
        return ScopedTool(function, frozenset(scope.split()), hints)

    return declare


def desk() -> Any:
    """The desk that serves the caller of this request; a tool asks for it with ``Depends``."""
    return get_context().lifespan_context["desk_for"](current_caller())
