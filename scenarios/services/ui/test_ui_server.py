"""The server of the interface: one bundle, any port, nothing but what the page needs."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from pydantic import ValidationError
from starlette.testclient import TestClient

from services.ui.app import create_app
from services.ui.bundle import BundleMissing

PAGE = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
INDEX = '<!doctype html><base href="/"><app-root ngCspNonce="__CSP_NONCE__"></app-root><script nonce="__CSP_NONCE__">'
FILES = {
    "index.html": INDEX.encode(),
    "main-QMAQOYLV.js": b"console.log('main');" * 50,
    "main-QMAQOYLV.js.gz": gzip.compress(b"console.log('main');" * 50),
    "chunk-B-ZKO-Y_.js": b"export {};",
    "styles-HCJ33I4P.css": b"body {}",
    "media/inter-latin-wght-normal-NRMW37G5.woff2": b"wOF2",
    "mark.svg": b"<svg/>",
    "long-lasting.svg": b"<svg></svg>",
    "archive.gz": b"a file of its own",
}
SETTINGS = {"ISSUER_URL": "http://localhost:2", "API_URL": "http://localhost:3", "INSTANCE_NONCE": "one"}


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    for name, content in FILES.items():
        path = tmp_path / "bundle" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    (tmp_path / "secret.txt").write_text("not served")
    return tmp_path / "bundle"


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, bundle: Path) -> pytest.MonkeyPatch:
    for name, value in (SETTINGS | {"UI_BUNDLE": str(bundle)}).items():
        monkeypatch.setenv(name, value)
    return monkeypatch


@pytest.fixture
def ui(environment: pytest.MonkeyPatch) -> Iterator[TestClient]:
    with TestClient(create_app()) as client:
        client.headers["Accept-Encoding"] = "identity"
        yield client


def policy(headers: Mapping[str, str]) -> dict[str, str]:
    directives = (directive.partition(" ") for directive in headers["Content-Security-Policy"].split("; "))
    return {name: value for name, _, value in directives}


@pytest.mark.parametrize("path", ["/", "/index.html", "/tickets", "/tickets/ACME-1", "/auth/callback?code=a.b&state=c"])
def test_every_route_of_the_application_gets_the_page(ui: TestClient, path: str) -> None:
    answer = ui.get(path, headers=PAGE)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert answer.headers["Cache-Control"] == "no-store"
    assert "<app-root" in answer.text


def test_each_page_has_a_nonce_of_its_own_that_its_policy_knows(ui: TestClient) -> None:
    nonces = set()
    for _ in range(3):
        answer = ui.get("/", headers=PAGE)
        (nonce,) = set(re.findall(r'nonce="([^"]+)"', answer.text, re.IGNORECASE))
        assert f"'nonce-{nonce}'" in policy(answer.headers)["style-src"]
        nonces.add(nonce)
    assert len(nonces) == 3
    assert all(len(nonce) >= 22 for nonce in nonces)


def test_the_page_may_load_its_own_files_and_call_the_api_and_the_issuer_only(ui: TestClient) -> None:
    allowed = policy(ui.get("/", headers=PAGE).headers)
    assert allowed["default-src"] == "'none'"
    assert allowed["script-src"] == "'self'"
    assert allowed["connect-src"].split() == ["'self'", SETTINGS["API_URL"], SETTINGS["ISSUER_URL"]]
    assert allowed["frame-ancestors"] == "'none'"
    assert allowed["require-trusted-types-for"] == "'script'"
    assert "unsafe" not in str(allowed)


@pytest.mark.parametrize("path", ["/", "/main-QMAQOYLV.js", "/config.json", "/missing.js"])
def test_no_answer_is_guessed_at_or_leaks_where_one_came_from(ui: TestClient, path: str) -> None:
    headers = ui.get(path, headers=PAGE).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"


@pytest.mark.parametrize(
    ("path", "media_type", "kept"),
    [
        ("/main-QMAQOYLV.js", "text/javascript", "public, max-age=31536000, immutable"),
        ("/chunk-B-ZKO-Y_.js", "text/javascript", "public, max-age=31536000, immutable"),
        ("/styles-HCJ33I4P.css", "text/css", "public, max-age=31536000, immutable"),
        ("/media/inter-latin-wght-normal-NRMW37G5.woff2", "font/woff2", "public, max-age=31536000, immutable"),
        ("/mark.svg", "image/svg+xml", "no-cache"),
        ("/long-lasting.svg", "image/svg+xml", "no-cache"),
        ("/archive.gz", "application/octet-stream", "no-cache"),
    ],
)
def test_only_what_is_named_after_its_content_is_kept_for_ever(
    ui: TestClient, path: str, media_type: str, kept: str
) -> None:
    answer = ui.get(path)
    assert answer.content == FILES[path[1:]]
    assert answer.headers["Content-Type"].partition(";")[0] == media_type
    assert answer.headers["Cache-Control"] == kept


@pytest.mark.parametrize(
    "path",
    ["/missing.js", "/main-AAAAAAAA.js", "/media/", "/media/missing.woff2", "/favicon.ico", "/main-QMAQOYLV.js.gz"],
)
def test_a_missing_file_is_not_found_and_never_a_page(ui: TestClient, path: str) -> None:
    answer = ui.get(path, headers={"Accept": "*/*"})
    assert answer.status_code == 404
    assert "<" not in answer.text
    if "." in path:
        assert ui.get(path, headers=PAGE).status_code == 404


@pytest.mark.parametrize(
    "path", ["/../secret.txt", "/%2e%2e/secret.txt", "/media/..%2f..%2fsecret.txt", "/..%5csecret.txt"]
)
def test_nothing_outside_the_bundle_is_served(ui: TestClient, path: str) -> None:
    answer = ui.get(path)
    assert answer.status_code == 404
    assert "not served" not in answer.text


def test_something_that_shows_no_pages_gets_none(ui: TestClient) -> None:
    assert ui.get("/tickets", headers={"Accept": "application/json"}).status_code == 404


@pytest.mark.parametrize(
    ("accepted", "compressed"),
    [
        ("gzip, deflate, br", True),
        ("br;q=1.0, gzip;q=0.5", True),
        ("GZIP", True),
        ("gzip;q=0", False),
        ("gzip; q=0.000", False),
        ("identity", False),
        ("", False),
    ],
)
def test_the_compressed_form_goes_to_those_who_accept_it(ui: TestClient, accepted: str, compressed: bool) -> None:
    answer = ui.get("/main-QMAQOYLV.js", headers={"Accept-Encoding": accepted})
    assert answer.content == FILES["main-QMAQOYLV.js"]
    assert (answer.headers.get("Content-Encoding") == "gzip") is compressed
    assert answer.headers["Vary"] == "Accept-Encoding"
    assert answer.headers["Content-Type"].startswith("text/javascript")


def test_a_file_that_was_kept_is_not_sent_again(ui: TestClient) -> None:
    tag = ui.get("/mark.svg").headers["ETag"]
    again = ui.get("/mark.svg", headers={"If-None-Match": tag})
    assert (again.status_code, again.content) == (304, b"")
    compressed = ui.get("/main-QMAQOYLV.js", headers={"Accept-Encoding": "gzip"}).headers["ETag"]
    assert ui.get("/main-QMAQOYLV.js", headers={"If-None-Match": compressed}).status_code == 200


def test_the_configuration_is_told_at_run_time(ui: TestClient) -> None:
    answer = ui.get("/config.json")
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.json() == {
        "issuer": SETTINGS["ISSUER_URL"],
        "apiUrl": SETTINGS["API_URL"],
        "clientId": "ui",
        "scope": "openid profile email offline_access tickets:read tickets:write tickets:delete orgs:read orgs:write",
    }


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_there_is_nothing_to_change_here(ui: TestClient, method: str) -> None:
    assert ui.request(method, "/").status_code == 405


def test_a_rebuild_under_a_running_server_mixes_nothing(ui: TestClient, bundle: Path) -> None:
    (bundle / "main-QMAQOYLV.js").unlink()
    (bundle / "index.html").write_text("<p>other</p>")
    assert ui.get("/main-QMAQOYLV.js").status_code == 200
    assert "<app-root" in ui.get("/", headers=PAGE).text


def test_an_app_starts_again_in_place_with_other_settings(
    environment: pytest.MonkeyPatch, bundle: Path, tmp_path: Path
) -> None:
    app = create_app()
    with TestClient(app) as client:
        assert client.get("/healthz").json() == {"status": "ok", "service": "ui", "instance": "one"}
    other = tmp_path / "other"
    other.mkdir()
    (other / "index.html").write_text("<p>other</p>")
    environment.setenv("UI_BUNDLE", str(other))
    environment.setenv("API_URL", "http://localhost:4")
    environment.setenv("INSTANCE_NONCE", "two")
    with TestClient(app) as client:
        assert client.get("/healthz").json()["instance"] == "two"
        assert client.get("/config.json").json()["apiUrl"] == "http://localhost:4"
        assert client.get("/").text == "<p>other</p>"
        assert client.get("/main-QMAQOYLV.js").status_code == 404


@pytest.mark.parametrize("state", ["does not exist", "has no index.html"])
def test_without_a_bundle_the_start_fails_and_names_the_directory(
    environment: pytest.MonkeyPatch, tmp_path: Path, state: str
) -> None:
    place = tmp_path / "nowhere"
    if state == "has no index.html":
        place.mkdir()
    environment.setenv("UI_BUNDLE", str(place))
    with pytest.raises(BundleMissing, match=re.escape(f"{place} {state}")), TestClient(create_app()):
        pass


def test_an_app_refuses_to_start_without_settings(environment: pytest.MonkeyPatch) -> None:
    environment.delenv("UI_BUNDLE")
    with pytest.raises(ValidationError, match="ui_bundle"), TestClient(create_app()):
        pass
