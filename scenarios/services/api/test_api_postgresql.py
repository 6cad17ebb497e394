"""The api with its conversations on PostgreSQL: several share a database, and say when it is gone."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from starlette.testclient import TestClient

from scenarios.services import postgresql
from scenarios.services.api.answers import refused
from services.api.app import create_app
from services.api.assistant.archive import Archive
from services.api.tables import Base
from services.shared.database import connected

if TYPE_CHECKING:
    from harness.person import Person
    from harness.stack import Stack


@pytest.fixture
def programs() -> Path:
    """Those of PostgreSQL; skips where they are not installed."""
    found = postgresql.programs()
    if found is None:
        pytest.skip(postgresql.TO_INSTALL)
    return found


@pytest.fixture
def environment(shared_stack: Stack, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """That of an api beside the one of the shared system, which takes the same tokens."""
    for service, variable in {
        "idp": "ISSUER_URL",
        "ticketing": "TICKETING_URL",
        "organizations": "ORGANIZATIONS_URL",
    }.items():
        monkeypatch.setenv(variable, shared_stack.url(service))
    monkeypatch.setenv("API_URL", shared_stack.audience("api"))
    monkeypatch.setenv("UI_URL", shared_stack.url("ui"))
    monkeypatch.setenv("API_CLIENT_SECRET", "it asks for no tokens here")
    return monkeypatch


async def _begin(archive: Archive, owner: str) -> str:
    return (await archive.begin(owner=owner, title="Hello", scopes=frozenset())).conversation_id


def test_what_one_process_deletes_another_does_not_show_and_both_miss_a_database_that_is_gone(
    programs: Path, environment: pytest.MonkeyPatch, member: Callable[[str], Person]
) -> None:
    alice = member("alice")
    headers = {"Authorization": f"Bearer {alice.token('api')}"}
    me = alice.api.get("/api/me").json()
    with ExitStack() as apps, ExitStack() as servers:
        url = servers.enter_context(postgresql.running(programs)).new_database()
        environment.setenv("API_DATABASE_URL", url)
        here, there = [apps.enter_context(TestClient(create_app(), headers=headers)) for _ in range(2)]
        with connected(url, Base.metadata) as database:
            assert here.portal is not None
            begun = here.portal.call(_begin, Archive(database), f"{me['organization']['id']}/{me['id']}")
        assert [each["id"] for each in there.get("/api/conversations").json()["items"]] == [begun]
        assert here.delete(f"/api/conversations/{begun}").status_code == 204
        assert there.get("/api/conversations").json()["items"] == []
        assert there.get("/readyz").status_code == 200

        servers.close()
        for api in (here, there):
            refused(api.get("/api/conversations"), 503, "unavailable")
            problem = refused(api.get("/readyz"), 503, "unavailable")
            assert [flaw["pointer"] for flaw in problem["errors"]] == ["database"]
            assert "rehearsal" not in problem["detail"]
            assert api.get("/healthz").status_code == 200
