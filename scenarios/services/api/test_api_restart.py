"""Two phases: one app object, built without settings, started again and again with others."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from pydantic import ValidationError
from starlette.testclient import TestClient

from scenarios.services.api.answers import refused
from services.api.app import create_app

if TYPE_CHECKING:
    from harness.person import Person
    from harness.stack import Stack

Member = Callable[[str], "Person"]
Environment = Callable[[Mapping[str, str]], None]

NOBODY = "http://localhost:1"
SETTINGS = {
    "ISSUER_URL": NOBODY,
    "TICKETING_URL": NOBODY,
    "ORGANIZATIONS_URL": NOBODY,
    "API_URL": NOBODY,
    "UI_URL": "http://localhost:2",
    "API_CLIENT_SECRET": "not used here",
    "ASSISTANT_MODEL": "sim",
}


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Environment:
    """Sets the variables the api reads. Its database is one of the scenario's own."""
    monkeypatch.setenv("API_DATABASE_URL", f"sqlite:///{tmp_path / 'api.db'}")

    def set_all(variables: Mapping[str, str]) -> None:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)

    return set_all


def test_an_app_starts_again_in_place_with_other_settings(
    shared_stack: Stack, member: Member, environment: Environment
) -> None:
    app = create_app()
    first_page, second_page = "http://localhost:2", "http://localhost:3"
    environment(SETTINGS | {"INSTANCE_NONCE": "first", "UI_URL": first_page})
    with TestClient(app) as client:
        assert client.get("/healthz").json()["instance"] == "first"
        assert allowed(client, first_page)
        assert not allowed(client, second_page)
    environment({"INSTANCE_NONCE": "second", "UI_URL": second_page, "ISSUER_URL": shared_stack.url("idp")})
    environment({"API_URL": shared_stack.audience("api")})
    with TestClient(app) as client:
        assert client.get("/healthz").json()["instance"] == "second"
        assert allowed(client, second_page)
        assert not allowed(client, first_page)
        # The token is good now; what is wrong is the secret, which is not the caller's fault.
        answer = client.get("/api/me", headers={"Authorization": f"Bearer {member('alice').token('api')}"})
        assert answer.status_code == 502


def test_while_the_issuer_cannot_be_asked_a_token_is_neither_good_nor_bad(
    member: Member, environment: Environment
) -> None:
    environment(SETTINGS)
    with TestClient(create_app()) as client:
        answer = client.get("/api/me", headers={"Authorization": f"Bearer {member('alice').token('api')}"})
        refused(answer, 503, "unavailable")
        assert client.get("/healthz").status_code == 200


def test_an_app_refuses_to_start_without_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in SETTINGS:
        monkeypatch.delenv(name, raising=False)
    app = create_app()
    with pytest.raises(ValidationError, match="issuer_url"), TestClient(app):
        pass


def test_a_model_nobody_knows_stops_the_start_and_is_named(environment: Environment) -> None:
    environment(SETTINGS | {"ASSISTANT_MODEL": "oracle-of-delphi"})
    with pytest.raises(Exception, match="oracle-of-delphi"), TestClient(create_app()):
        pass


def test_the_document_is_complete_before_any_start() -> None:
    assert create_app().openapi() == create_app().openapi()
    assert "Problem" in create_app().openapi()["components"]["schemas"]


def allowed(client: TestClient, origin: str) -> bool:
    return "Access-Control-Allow-Origin" in client.get("/healthz", headers={"Origin": origin}).headers
