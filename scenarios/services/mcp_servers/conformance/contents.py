"""The tools, resources and prompts that the conformance suite calls by name and whose contents it knows."""

from __future__ import annotations

from base64 import b64decode
from typing import Annotated, Any

import anyio
from fastmcp import Context, FastMCP
from fastmcp.exceptions import ToolError
from fastmcp.prompts import Message, PromptResult
from fastmcp.server.middleware.dereference import DereferenceRefsMiddleware
from fastmcp.tools import Tool, ToolResult
from mcp_types import (
    AudioContent,
    ContentBlock,
    EmbeddedResource,
    ImageContent,
    TextContent,
    TextResourceContents,
)
from pydantic import AnyUrl, Field

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="
SILENCE = "UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAEAfAAABAAgAZGF0YQAAAAA="
STEP_S = 0.05
"""Between two notifications of a tool: the suite tells them apart by when they come."""

ADDRESS = {
    "$anchor": "address",
    "type": "object",
    "properties": {"street": {"type": "string"}, "city": {"type": "string"}},
}
RICH_SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "$defs": {"address": ADDRESS},
    "properties": {
        "name": {"type": "string"},
        "address": {"$ref": "#/$defs/address"},
        "contactMethod": {"type": "string", "enum": ["phone", "email"]},
        "phone": {"type": "string"},
        "email": {"type": "string"},
    },
    "allOf": [{"anyOf": [{"required": ["phone"]}, {"required": ["email"]}]}],
    "if": {"properties": {"contactMethod": {"const": "phone"}}, "required": ["contactMethod"]},
    "then": {"required": ["phone"]},
    "else": {"required": ["email"]},
    "additionalProperties": False,
}


class RichTool(Tool):
    """A tool whose schema no signature could have."""

    async def run(self, arguments: dict[str, Any]) -> ToolResult:
        """Tell what came."""
        return ToolResult(content=str(sorted(arguments)))


def embedded(uri: str, text: str, mime_type: str = "text/plain") -> EmbeddedResource:
    resource = TextResourceContents(uri=uri, mime_type=mime_type, text=text)
    return EmbeddedResource(type="resource", resource=resource)


IMAGE = ImageContent(type="image", data=PIXEL, mime_type="image/png")
CONTENTS: dict[str, list[ContentBlock]] = {
    "test_simple_text": [TextContent(type="text", text="This is a simple text response for testing.")],
    "test_image_content": [IMAGE],
    "test_audio_content": [AudioContent(type="audio", data=SILENCE, mime_type="audio/wav")],
    "test_embedded_resource": [embedded("test://embedded-resource", "This is an embedded resource content.")],
    "test_multiple_content_types": [
        TextContent(type="text", text="Multiple content types test:"),
        IMAGE,
        embedded("test://mixed-content-resource", '{"test":"data","value":123}', "application/json"),
    ],
}


def add_tools(mcp: FastMCP) -> None:
    """Those that answer by themselves."""

    def answering(content: list[ContentBlock]) -> Any:
        return lambda: ToolResult(content=content)

    for name, content in CONTENTS.items():
        mcp.tool(answering(content), name=name, description=f"{name}, as the conformance suite wants it.")

    @mcp.tool
    def test_error_handling() -> ToolResult:
        """Fail."""
        raise ToolError("This tool intentionally returns an error for testing")

    @mcp.tool
    async def test_tool_with_logging(ctx: Context) -> ToolResult:
        """Log three times."""
        for said in ("Tool execution started", "Tool processing data", "Tool execution completed"):
            await ctx.info(said)
            await anyio.sleep(STEP_S)
        return ToolResult(content="logged")

    @mcp.tool
    async def test_logging_tool(ctx: Context) -> ToolResult:
        """Log once."""
        await ctx.info("Logged")
        return ToolResult(content="logged")

    @mcp.tool
    async def test_tool_with_progress(ctx: Context) -> ToolResult:
        """Report progress three times."""
        for done in (0, 50, 100):
            await ctx.report_progress(done, 100)
            await anyio.sleep(STEP_S)
        return ToolResult(content="done")

    @mcp.tool
    def test_custom_header(region: Annotated[str, Field(json_schema_extra={"x-mcp-header": "Region"})]) -> ToolResult:
        """Take an argument that a header repeats."""
        return ToolResult(content=region)

    mcp.add_tool(RichTool(name="json_schema_2020_12_tool", description="Takes a rich schema.", parameters=RICH_SCHEMA))
    # The suite looks for $defs, which our servers resolve for the sake of clients that cannot.
    mcp.middleware[:] = [each for each in mcp.middleware if not isinstance(each, DereferenceRefsMiddleware)]


def add_resources(mcp: FastMCP) -> None:
    """What can be read."""

    @mcp.resource("test://static-text", mime_type="text/plain")
    def static_text() -> str:
        """A text."""
        return "This is the content of the static text resource."

    @mcp.resource("test://static-binary", mime_type="image/png")
    def static_binary() -> bytes:
        """An image."""
        return b64decode(PIXEL)

    @mcp.resource("test://watched-resource", mime_type="text/plain")
    def watched_resource() -> str:
        """A text that nobody can watch here."""
        return "Watched"

    @mcp.resource("test://template/{id}/data", mime_type="application/json")
    def template(id: str) -> dict[str, Any]:  # noqa: A002 - the name in the URI
        """A text for each id."""
        return {"id": id, "templateTest": True, "data": f"Data for ID: {id}"}


def add_prompts(mcp: FastMCP) -> None:
    """What can be asked for."""

    @mcp.prompt
    def test_simple_prompt() -> str:
        """Say something."""
        return "This is a simple prompt for testing."

    @mcp.prompt
    def test_prompt_with_arguments(arg1: str, arg2: str) -> str:
        """Say it with two arguments."""
        return f"Prompt with arguments: arg1='{arg1}', arg2='{arg2}'"

    @mcp.prompt
    def test_prompt_with_embedded_resource(resourceUri: str) -> PromptResult:  # noqa: N803 - the name on the wire
        """Say it with a resource."""
        resource = embedded(str(AnyUrl(resourceUri)), "Embedded resource content for testing.")
        return PromptResult([Message(resource), Message("Please process the embedded resource above.")])

    @mcp.prompt
    def test_prompt_with_image() -> PromptResult:
        """Say it with an image."""
        return PromptResult([Message(IMAGE), Message("Please analyze the image above.")])
