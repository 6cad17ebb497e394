"""MCP over bare HTTP, in any era: FastMCP's client hides statuses and headers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import httpx

MODERN = "2026-07-28"
NO_CAPABILITIES: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True)
class Message:
    """A JSON-RPC message and the headers that go with it."""

    body: Mapping[str, Any]
    headers: Mapping[str, str]


def request(
    method: str, params: Mapping[str, Any], *, era: str = MODERN, capabilities: Mapping[str, Any] = NO_CAPABILITIES
) -> Message:
    """A request: with the headers of 2026-07-28, or as the eras before had it, by the body alone."""
    told = dict(params)
    headers = {"Accept": "application/json, text/event-stream", "MCP-Protocol-Version": era}
    if era == MODERN:
        headers |= {"Mcp-Method": method}
        name = params.get("name", params.get("uri"))
        headers |= {} if name is None else {"Mcp-Name": name}
        told["_meta"] = {
            "io.modelcontextprotocol/protocolVersion": MODERN,
            "io.modelcontextprotocol/clientCapabilities": dict(capabilities),
            "io.modelcontextprotocol/clientInfo": {"name": "scenario", "version": "1"},
            **params.get("_meta", {}),
        }
    return Message({"jsonrpc": "2.0", "id": 1, "method": method, "params": told}, headers)


def tool_call(tool: str, arguments: Mapping[str, Any], *, era: str = MODERN) -> Message:
    """The call of a tool."""
    return request("tools/call", {"name": tool, "arguments": arguments}, era=era)


@dataclass(frozen=True)
class Wire:
    """The MCP endpoint of one server."""

    url: str
    client: httpx.Client

    def call(
        self, tool: str, arguments: Mapping[str, Any] | None = None, *, token: str | None, era: str = MODERN
    ) -> httpx.Response:
        """Call a tool."""
        return self.send(tool_call(tool, arguments or {}, era=era), token=token)

    def send(self, message: Message, *, token: str | None) -> httpx.Response:
        """Send a message with its headers."""
        return self.post(message.body, token=token, headers=message.headers)

    def post(self, body: object, *, token: str | None, headers: Mapping[str, str]) -> httpx.Response:
        """Send what is given as it is; bytes are not turned into JSON."""
        credentials = {} if token is None else {"Authorization": f"Bearer {token}"}
        described = {"Accept": "application/json, text/event-stream", "Content-Type": "application/json"}
        content: dict[str, Any] = {"content": body} if isinstance(body, bytes) else {"json": body}
        return self.client.post(f"{self.url}/mcp", headers={**described, **credentials, **headers}, **content)
