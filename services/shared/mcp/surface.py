"""All that a server offers, and which scopes each request for a part of it needs."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from fastmcp.resources.template import build_regex

from services.shared.mcp.completion import ScopedCompletion
from services.shared.mcp.handler import Handler
from services.shared.mcp.prompt import ScopedPrompt
from services.shared.mcp.resource import ScopedResource
from services.shared.mcp.tool import ScopedTool

_NONE: frozenset[str] = frozenset()
_PLACES = re.compile(r"\{(\w+)\}")


class _Scoped(Protocol):
    @property
    def scopes(self) -> frozenset[str]: ...


@dataclass(frozen=True, slots=True)
class Surface:
    """What a service declares, in the order in which it is listed."""

    tools: Sequence[ScopedTool]
    resources: Sequence[ScopedResource] = ()
    prompts: Sequence[ScopedPrompt] = ()
    completions: Sequence[ScopedCompletion] = ()

    @property
    def scopes(self) -> frozenset[str]:
        """All that any part needs."""
        parts: Sequence[_Scoped] = (*self.tools, *self.resources, *self.prompts, *self.completions)
        return _NONE.union(*(part.scopes for part in parts))

    @property
    def arguments(self) -> Mapping[str, frozenset[str]]:
        """Of each prompt (by name) and each resource template (by URI), what can be completed."""
        prompts = {each.name: frozenset(Handler(each.function).arguments) for each in self.prompts}
        templates = {each.uri: frozenset(_PLACES.findall(each.uri)) for each in self.resources if each.is_template}
        return prompts | templates

    def needs(self) -> Needs:
        """What is asked of tokens, ready to be looked up."""
        return Needs(
            tools={each.name: each.scopes for each in self.tools},
            prompts={each.name: each.scopes for each in self.prompts},
            arguments={each.argument: each.scopes for each in self.completions},
            resources=[(_pattern(each.uri), each.scopes) for each in self.resources],
        )


@dataclass(frozen=True, slots=True)
class Needs:
    """The scopes a message needs."""

    tools: Mapping[str, frozenset[str]]
    prompts: Mapping[str, frozenset[str]]
    arguments: Mapping[str, frozenset[str]]
    resources: Sequence[tuple[re.Pattern[str], frozenset[str]]]

    def of(self, message: Mapping[str, Any]) -> tuple[str, frozenset[str]]:
        """What the message asks for, in words for its sender, and the scopes for that.

        Nothing is needed for what does not exist: that is told further in.
        """
        match message:
            case {"method": "tools/call", "params": {"name": str(name)}}:
                return name, self.tools.get(name, _NONE)
            case {"method": "prompts/get", "params": {"name": str(name)}}:
                return name, self.prompts.get(name, _NONE)
            case {"method": "completion/complete", "params": {"argument": {"name": str(name)}}}:
                return f"completing {name}", self.arguments.get(name, _NONE)
            case {"method": "resources/read", "params": {"uri": str(uri)}}:
                found = (scopes for pattern, scopes in self.resources if pattern.fullmatch(uri.partition("?")[0]))
                return "the resource", next(found, _NONE)
        return "", _NONE


def _pattern(uri: str) -> re.Pattern[str]:
    """The URIs of a resource, as FastMCP finds it by them."""
    pattern = build_regex(uri)
    if pattern is None:
        raise ValueError(f"{uri!r} is no template that FastMCP can read")
    return pattern
