"""The app around the tools: built without settings, started again with others, and discreet when it breaks."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import ValidationError
from starlette.testclient import TestClient

from scenarios.services.mcp_servers.wire import tool_call
from services.ticketing.app import create_app

if TYPE_CHECKING:
    from harness.person import Person
    from harness.stack import Stack

AsUser = Callable[[str], "Person"]


def call(client: TestClient, token: str, tool: str, **arguments: Any) -> Any:
    message = tool_call(tool, arguments)
    return client.post("/mcp", json=message.body, headers={**message.headers, "Authorization": f"Bearer {token}"})


def test_an_app_starts_again_in_place_with_other_settings(
    shared_stack: Stack, as_user: AsUser, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    token = as_user("alice").token("ticketing")
    app = create_app()
    monkeypatch.setenv("ISSUER_URL", shared_stack.url("idp"))
    monkeypatch.setenv("TICKETING_URL", shared_stack.url("ticketing"))

    def start(nonce: str, database: str) -> TestClient:
        monkeypatch.setenv("INSTANCE_NONCE", nonce)
        monkeypatch.setenv("TICKETING_DATABASE_URL", f"sqlite:///{tmp_path / database}.db")
        return TestClient(app, base_url="http://localhost")

    with start("first", "one") as client:
        assert client.get("/healthz").json()["instance"] == "first"
        created = call(client, token, "create_ticket", title="Only in one").json()["result"]["structuredContent"]
    with start("second", "two") as client:
        assert client.get("/healthz").json()["instance"] == "second"
        answer = call(client, token, "get_ticket", key=created["key"]).json()["result"]
        assert answer["structuredContent"]["code"] == "not_found"
    with start("third", "one") as client:
        found = call(client, token, "search_tickets", query="Only in one").json()["result"]["structuredContent"]
        assert found["items"] == [created]

    monkeypatch.setenv("TICKETING_URL", "http://localhost:1")
    with start("fourth", "one") as client:
        refused = call(client, token, "get_ticket", key=created["key"])
        assert refused.status_code == 401
        assert 'resource_metadata="http://localhost:1/.well-known' in refused.headers["WWW-Authenticate"]


def test_while_the_issuer_cannot_be_asked_a_token_is_neither_good_nor_bad(
    as_user: AsUser, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    token = as_user("alice").token("ticketing")
    monkeypatch.setenv("ISSUER_URL", "http://localhost:1")
    monkeypatch.setenv("TICKETING_URL", "http://localhost:2")
    monkeypatch.setenv("TICKETING_DATABASE_URL", f"sqlite:///{tmp_path / 'tickets.db'}")
    with TestClient(create_app(), base_url="http://localhost") as client:
        response = call(client, token, "get_ticket", key="ACME-1")
        assert response.status_code == 503
        assert response.headers["Retry-After"] == "1"
        assert response.json()["code"] == "unavailable"
        assert client.get("/healthz").status_code == 200


def test_a_tool_that_breaks_keeps_its_reasons_for_the_log(
    shared_stack: Stack,
    as_user: AsUser,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setenv("ISSUER_URL", shared_stack.url("idp"))
    monkeypatch.setenv("TICKETING_URL", shared_stack.url("ticketing"))
    monkeypatch.setenv("TICKETING_DATABASE_URL", f"sqlite:///{tmp_path / 'broken.db'}")
    with TestClient(create_app(), base_url="http://localhost") as client:
        with closing(sqlite3.connect(tmp_path / "broken.db")) as intruder:
            intruder.execute("DROP TABLE tickets")
        result = call(client, as_user("alice").token("ticketing"), "get_ticket", key="ACME-1").json()["result"]
    assert result["isError"] is True
    assert result["structuredContent"]["code"] == "internal"
    assert "no such table" not in str(result)


def test_an_app_is_built_without_settings_and_refuses_to_start_without(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ISSUER_URL", "TICKETING_URL", "TICKETING_DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)
    app = create_app()
    with pytest.raises(ValidationError, match="issuer_url"), TestClient(app):
        pass
