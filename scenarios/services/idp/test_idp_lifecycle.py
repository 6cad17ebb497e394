"""The service as a process: settings at start, state that ends with it, a registry that is checked."""

from __future__ import annotations

import logging
import re
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from scenarios.services.idp.conftest import Client, Living
from services.idp.app import create_app
from services.idp.registry_file import ROOT, read, written
from services.idp.settings import IdpSettings

HERE = Path(__file__)


def test_it_says_who_it_is(idp: Client, shared_stack: object) -> None:
    response = idp.http.get("/healthz")
    assert response.json() == {"status": "ok", "service": "idp", "instance": getattr(shared_stack, "nonce")}  # noqa: B009
    assert idp.http.get("/favicon.ico").status_code == 204


def test_the_same_app_starts_again_with_other_settings_and_other_keys(
    living: Living, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = create_app()
    with living(app) as alone:
        before = alone.http.get("/jwks").json()
    monkeypatch.setenv("ISSUER_URL", "http://localhost:77")
    monkeypatch.setenv("ACCESS_TOKEN_SECONDS", "5")
    with living(app) as alone:
        assert alone.http.get("/.well-known/openid-configuration").json()["issuer"] == "http://localhost:77"
        assert alone.http.get("/jwks").json() != before


def test_settings_that_are_missing_stop_it_at_the_start(living: Living, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("API_CLIENT_SECRET")
    with pytest.raises(ValueError, match="api_client_secret"), living():
        pass


def test_the_secret_is_in_no_representation(settings: dict[str, str], caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    loaded = IdpSettings.read()
    registry = written(read(loaded)[ROOT], loaded, issuer=loaded.issuer_url)
    assert settings["API_CLIENT_SECRET"] not in f"{loaded!r} {registry!r} {caplog.text}"


def test_the_registry_file_names_no_address(settings: dict[str, str]) -> None:
    text = (HERE.parents[3] / "services" / "idp" / "registry.yaml").read_text(encoding="utf-8")
    assert "localhost" not in text


def test_its_process_loads_neither_an_http_client_nor_what_only_its_supervisor_needs() -> None:
    """The first, with all that it draws in, takes 5 MiB and a tenth of a cold start; the other one more."""
    shown = "import sys, harness.serve, services.idp.app; print({'httpx', 'psutil'} & sys.modules.keys())"
    told = subprocess.run(
        [sys.executable, "-c", shown], cwd=HERE.parents[3], capture_output=True, text=True, check=True
    )
    assert told.stdout.strip() == "set()"


@pytest.mark.parametrize("issuer", ["http://192.168.0.9:81", "https://idp.example", "http://localhost.evil.example"])
def test_it_has_no_name_that_others_could_reach_unless_told_so(
    living: Living, monkeypatch: pytest.MonkeyPatch, issuer: str
) -> None:
    monkeypatch.setenv("ISSUER_URL", issuer)
    with pytest.raises(ValueError, match="IDP_PUBLIC_ISSUER=true allows another"), living():
        pass
    monkeypatch.setenv("IDP_PUBLIC_ISSUER", "true")
    with living() as alone:
        assert alone.http.get("/.well-known/openid-configuration").json()["issuer"] == issuer


@pytest.mark.parametrize(
    "url", ["postgresql://localhost/idp", "sqlite:///", "idp.db", "sqlite:////no/such/folder/idp.db"]
)
def test_a_database_it_cannot_use_stops_it_at_the_start(
    living: Living, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("IDP_DATABASE_URL", url)
    with pytest.raises((ValueError, sqlite3.Error)), living():
        pass


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[]", "must be a mapping"),
        ("resources: {}\nscopes: {}\n", "clients: Field required"),
        ("resources: {}\nscopes: {}\nclients: {a: {name: A, grants: [], resources: [x]}}", "names resource 'x'"),
        ("resources: {r: {uri: '{NOWHERE}', name: R, scopes: []}}\nscopes: {}\nclients: {}", "'NOWHERE'"),
        ("resources: {}\nscopes: {}\nclients: {a: {name: A, grants: [], colour: red}}", "colour: Extra inputs"),
        (
            "resources: {}\nscopes: {}\nclients: {a: {name: A, grants: [], auth_method: private_key_jwt}}",
            "jwks goes with",
        ),
        ("resources: {}\nscopes: {}\nclients: {}\nalgorithm: HS256", "algorithm: Input should be"),
        (
            "resources: {}\nscopes: {}\nclients: {}\ntenants: {Not Fit: {resources: {}, scopes: {}, clients: {}}}",
            "'Not Fit'",
        ),
        ("resources: {}\nscopes: {}\nclients: {}\nusers: [{username: u, claims: {sub: x}}]", "claims of the provider"),
    ],
)
def test_a_registry_of_ones_own_is_checked_at_the_start(
    living: Living, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, *, text: str, said: str
) -> None:
    file = tmp_path / "registry.yaml"
    monkeypatch.setenv("IDP_REGISTRY", str(file))
    with pytest.raises(ValueError, match="cannot be read"), living():
        pass
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=re.escape(said)), living():
        pass
