"""A resource as it is declared: what can be read at a URI, or at all URIs of a template (RFC 6570 level 1)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fastmcp.resources import Resource, ResourceTemplate
from fastmcp.resources.base import ResourceResult
from mcp_types import Icon
from pydantic import AnyUrl, ConfigDict, Field
from pydantic.json_schema import SkipJsonSchema

from services.shared.mcp.handler import Handler
from services.shared.mcp.problem_results import Refused
from services.shared.mcp.view import View
from services.shared.problems import Invalid, NotFound, ProblemError

JSON = "application/json"


class _Fixed(Resource):
    """What is at one URI."""

    model_config = ConfigDict(arbitrary_types_allowed=True)
    handler: SkipJsonSchema[Handler] = Field(exclude=True)

    async def read(self) -> str:
        """What is there now."""
        return await _text(self.handler, {})


class _Templated(ResourceTemplate):
    """What is at each URI of a template."""

    model_config = ConfigDict(arbitrary_types_allowed=True)
    handler: SkipJsonSchema[Handler] = Field(exclude=True)

    async def _read(self, uri: str, params: dict[str, Any]) -> ResourceResult:  # noqa: ARG002 - FastMCP's signature
        return self.convert_result(await _text(self.handler, params))


@dataclass(frozen=True, slots=True)
class ScopedResource:
    """Something to read, and the scopes a token needs for it."""

    function: Callable[..., View | str]
    uri: str
    scopes: frozenset[str]
    title: str
    mime_type: str

    @property
    def is_template(self) -> bool:
        """Whether it stands for many."""
        return "{" in self.uri

    def built(self, icons: list[Icon]) -> Resource | ResourceTemplate:
        """This resource as FastMCP serves it."""
        handler = Handler(self.function)
        told: dict[str, Any] = {
            "name": handler.name,
            "title": self.title,
            "description": handler.description,
            "mime_type": self.mime_type,
            "icons": icons,
            "handler": handler,
        }
        if self.is_template:
            return _Templated(uri_template=self.uri, parameters={}, **told)
        return _Fixed(uri=AnyUrl(self.uri), **told)


def resource(
    uri: str, *, scope: str, title: str, mime_type: str = JSON
) -> Callable[[Callable[..., View | str]], ScopedResource]:
    """Declare what is at ``uri``: a function of the desk and of what the template's ``{names}`` stand for.

    It returns a view, which is told as JSON, or text. NotFound is answered as -32602 with the URI.
    """

    def declare(function: Callable[..., View | str]) -> ScopedResource:
        return ScopedResource(function, uri, frozenset(scope.split()), title, mime_type)

    return declare


async def _text(handler: Handler, named: dict[str, Any]) -> str:
    try:
        found = await handler(named)
    except Invalid as error:
        # A URI that no resource can have is the URI of nothing.
        raise Refused(NotFound(NotFound.says)) from error
    except ProblemError as error:
        raise Refused(error) from error
    return found if isinstance(found, str) else found.model_dump_json()
