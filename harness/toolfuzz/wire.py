"""MCP 2026-07-28 over bare HTTP, as one caller: what answers to anything at all, and what came back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx

ERA = "2026-07-28"
ANSWERS_IN_S = 10.0
"""Whoever takes longer hangs, as far as a caller can tell."""


@dataclass(frozen=True)
class Answer:
    """One response. ``body`` is None where it is no JSON object, ``status`` None where nothing came in time."""

    status: int | None
    text: str
    body: Mapping[str, Any] | None

    @property
    def result(self) -> Mapping[str, Any]:
        """The result of the request; empty if it is an error."""
        return (self.body or {}).get("result") or {}

    @property
    def asks(self) -> bool:
        """Whether it is a question to a person, and not the end."""
        return self.result.get("resultType") == "input_required"

    @property
    def error(self) -> Mapping[str, Any] | None:
        """The protocol error, if that is what it is."""
        error = (self.body or {}).get("error")
        return error if isinstance(error, dict) else None

    @property
    def problem(self) -> Mapping[str, Any] | None:
        """The problem of a tool that refused."""
        problem = self.result.get("structuredContent") if self.result.get("isError") is True else None
        return problem if isinstance(problem, dict) else None


class Wire:
    """The endpoint of one server, for whoever holds the token. It says that a person can be asked."""

    def __init__(self, url: str, token: str) -> None:
        # The default client would load certificates that no loopback address needs.
        self._client = httpx.Client(timeout=ANSWERS_IN_S, trust_env=False, verify=False)  # noqa: S501
        self._url = url
        self._headers = {
            "Authorization": f"Bearer {token}",
            "Accept": "application/json, text/event-stream",
            "Content-Type": "application/json",
            "MCP-Protocol-Version": ERA,
        }
        self._sent = 0

    def ask(self, method: str, **params: Any) -> Answer:
        """Send a request; the parameters may be whatever JSON can say, half a surrogate pair included."""
        self._sent += 1
        params["_meta"] = {
            "io.modelcontextprotocol/protocolVersion": ERA,
            "io.modelcontextprotocol/clientCapabilities": {"elicitation": {"form": {}}},
        }
        message = {"jsonrpc": "2.0", "id": self._sent, "method": method, "params": params}
        named = params.get("name", params.get("uri"))
        headers = {**self._headers, "Mcp-Method": method} | ({} if named is None else {"Mcp-Name": named})
        try:
            response = self._client.post(self._url, content=json.dumps(message).encode(), headers=headers)
        except httpx.TimeoutException as error:
            return Answer(None, f"{type(error).__name__} after {ANSWERS_IN_S:g} s", None)
        except httpx.TransportError as error:
            return Answer(None, f"{type(error).__name__}: {error}", None)
        return Answer(response.status_code, response.text, _object(response))

    def listed(self, kind: str, member: str = "") -> list[Mapping[str, Any]]:
        """All parts of a kind."""
        return list(self.ask(f"{kind}/list").result.get(member or kind, []))

    def close(self) -> None:
        """Hang up."""
        self._client.close()


def _object(response: httpx.Response) -> Mapping[str, Any] | None:
    text = response.text
    if response.headers.get("content-type", "").startswith("text/event-stream"):
        text = "".join(line.removeprefix("data:") for line in text.splitlines() if line.startswith("data:"))
    try:
        body = json.loads(text)
    except ValueError:
        return None
    return body if isinstance(body, dict) else None
