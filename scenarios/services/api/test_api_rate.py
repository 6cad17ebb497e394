"""A limit on requests, for whoever wants to see a client meet one: 429, and when to come again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from starlette.testclient import TestClient

from scenarios.services.api.answers import refused
from scenarios.services.api.test_api_restart import SETTINGS
from services.api.app import create_app
from services.api.rate_limit import RateLimit
from services.shared.problems import TooManyRequests

if TYPE_CHECKING:
    from harness.person import Person
    from harness.stack import Stack

Member = Callable[[str], "Person"]


def waits(limit: RateLimit, caller: str, *, at: float) -> int:
    """The seconds somebody is told to wait; 0 is none."""
    try:
        limit.take(caller, at=at)
    except TooManyRequests as error:
        return int(error.sent_headers["Retry-After"])
    return 0


def test_each_has_a_minutes_worth_of_requests_and_gets_them_back_evenly() -> None:
    limit = RateLimit(6)
    assert [waits(limit, "alice", at=1000) for _ in range(8)] == [0] * 6 + [10, 10]
    assert waits(limit, "bob", at=1000) == 0
    assert [waits(limit, "alice", at=1008.5), waits(limit, "alice", at=1010), waits(limit, "alice", at=1010)] == [
        2,
        0,
        10,
    ]
    assert [waits(limit, "alice", at=5000) for _ in range(7)] == [0] * 6 + [10]


def test_a_clock_that_is_set_back_locks_nobody_out() -> None:
    limit = RateLimit(1)
    assert waits(limit, "alice", at=1_000_000) == 0
    assert waits(limit, "alice", at=1000) == 0


def test_without_a_limit_there_is_none() -> None:
    limit = RateLimit(None)
    assert {waits(limit, "alice", at=1000) for _ in range(1000)} == {0}


def test_who_asks_too_often_is_told_when_to_ask_again_and_nobody_else_is_slowed_down(
    shared_stack: Stack, member: Member, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    settings = SETTINGS | {"ISSUER_URL": shared_stack.url("idp"), "API_URL": shared_stack.audience("api")}
    monkeypatch.setenv("API_DATABASE_URL", f"sqlite:///{tmp_path / 'api.db'}")
    for name, value in {**settings, "API_REQUESTS_PER_MINUTE": "2"}.items():
        monkeypatch.setenv(name, value)
    alice, adam = ({"Authorization": f"Bearer {member(name).token('api')}"} for name in ("alice", "adam"))
    with TestClient(create_app()) as client:
        first = [client.get("/api/me", headers=alice) for _ in range(3)]
        assert [answer.status_code for answer in first][:2] == [502, 502]  # the secret of this api is not the right one
        refused(first[2], 429, "too_many_requests")
        assert 0 < int(first[2].headers["Retry-After"]) <= 30
        assert client.get("/api/me", headers=adam).status_code == 502
