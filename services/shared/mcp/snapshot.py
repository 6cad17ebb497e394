"""What a server says of each of its parts in lists, as files that are compared and changed on purpose."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

import anyio.from_thread
from fastmcp import FastMCP
from pydantic import BaseModel
from starlette.applications import Starlette


def texts(app: Starlette) -> Mapping[str, str]:
    """By the name of a file: every tool, resource, resource template and prompt of an MCP server's ``app``."""
    with anyio.from_thread.start_blocking_portal() as portal:
        listed = portal.call(_listed, app.state.mcp)
    return {path: json.dumps(part, indent=2, ensure_ascii=False) + "\n" for path, part in listed.items()}


def parts(kind: str, listed: Iterable[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """The parts of one list as they are kept: without the drawing of their icon."""
    return {
        f"{kind}/{part['name']}.json": {name: value for name, value in part.items() if name != "icons"}
        for part in listed
    }


async def _listed(mcp: FastMCP) -> dict[str, Mapping[str, Any]]:
    return {
        **parts("tools", [_wire(each.to_mcp_tool()) for each in await mcp.list_tools()]),
        **parts("resources", [_wire(each.to_mcp_resource()) for each in await mcp.list_resources()]),
        **parts("templates", [_wire(each.to_mcp_template()) for each in await mcp.list_resource_templates()]),
        **parts("prompts", [_wire(each.to_mcp_prompt()) for each in await mcp.list_prompts()]),
    }


def _wire(part: BaseModel) -> Mapping[str, Any]:
    return part.model_dump(mode="json", by_alias=True, exclude_none=True)
