"""MCP over bare HTTP, in any era: FastMCP's client hides statuses and headers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx

MODERN = "2026-07-28"


@dataclass(frozen=True)
class Message:
    """A JSON-RPC message and the headers that go with it."""

    body: Mapping[str, Any]
    headers: Mapping[str, str]


def tool_call(tool: str, arguments: Mapping[str, Any], *, era: str = MODERN) -> Message:
    """The call of a tool: with the headers of 2026-07-28, or as the eras before it did, by the body alone."""
    params: dict[str, Any] = {"name": tool, "arguments": arguments}
    headers = {"Accept": "application/json, text/event-stream", "MCP-Protocol-Version": era}
    if era == MODERN:
        headers |= {"Mcp-Method": "tools/call", "Mcp-Name": tool}
        params["_meta"] = {
            "io.modelcontextprotocol/protocolVersion": MODERN,
            "io.modelcontextprotocol/clientCapabilities": {},
            "io.modelcontextprotocol/clientInfo": {"name": "scenario", "version": "1"},
        }
    return Message({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}, headers)


@dataclass(frozen=True)
class Wire:
    """The MCP endpoint of one server."""

    url: str
    client: httpx.Client

    def call(
        self, tool: str, arguments: Mapping[str, Any] | None = None, *, token: str | None, era: str = MODERN
    ) -> httpx.Response:
        """Call a tool."""
        message = tool_call(tool, arguments or {}, era=era)
        return self.post(message.body, token=token, headers=message.headers)

    def post(self, body: object, *, token: str | None, headers: Mapping[str, str]) -> httpx.Response:
        """Send what is given as it is; bytes are not turned into JSON."""
        credentials = {} if token is None else {"Authorization": f"Bearer {token}"}
        described = {"Accept": "application/json, text/event-stream", "Content-Type": "application/json"}
        content: dict[str, Any] = {"content": body} if isinstance(body, bytes) else {"json": body}
        return self.client.post(f"{self.url}/mcp", headers={**described, **credentials, **headers}, **content)
