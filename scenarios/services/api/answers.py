"""What every refusal of the api looks like, and how to read a stream of events."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any

import httpx
import httpx2


def refused(response: httpx.Response | httpx2.Response, status: int, code: str) -> dict[str, Any]:
    """The problem in ``response``, which must be exactly of this kind (RFC 9457)."""
    assert response.status_code == status, response.text
    assert response.headers["Content-Type"] == "application/problem+json"
    problem: dict[str, Any] = response.json()
    assert problem["status"] == status
    assert problem["code"] == code
    assert problem["type"] == f"urn:dress-rehearsal:problem:{code}"
    assert problem["title"]
    assert problem["detail"]
    if status == HTTPStatus.UNAUTHORIZED:
        assert response.headers["WWW-Authenticate"].startswith("Bearer")
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        assert int(response.headers["Retry-After"]) > 0
    return problem


def events(response: httpx.Response) -> list[dict[str, Any]]:
    """The AG-UI events of a chat, in order."""
    assert response.status_code == HTTPStatus.OK, response.text
    assert response.headers["Content-Type"].startswith("text/event-stream")
    return [json.loads(line.removeprefix("data: ")) for line in response.text.splitlines() if line.startswith("data: ")]


def said(stream: list[dict[str, Any]]) -> str:
    """All that the assistant says in ``stream``."""
    return "".join(event["delta"] for event in stream if event["type"] == "TEXT_MESSAGE_CONTENT")
