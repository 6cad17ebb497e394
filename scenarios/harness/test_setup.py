"""What is set up is set up once: the web interface is built when its inputs changed, the browser is found in order."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness import browser, bundle, modules, node


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A made-up workspace in place of the real one."""
    for name in (*bundle.SINGLE_INPUTS, "tsconfig.json", "src/main.ts", "src/main.spec.ts", "public/mark.svg"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(name, encoding="utf-8")
    monkeypatch.setattr(bundle, "WORKSPACE", tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    "name", ["angular.json", "package-lock.json", "tsconfig.json", "src/main.ts", "public/mark.svg"]
)
def test_a_changed_input_makes_the_bundle_out_of_date(workspace: Path, name: str) -> None:
    before = bundle._inputs_digest()  # noqa: SLF001  # what decides whether minutes are spent
    (workspace / name).write_text("changed", encoding="utf-8")
    assert bundle._inputs_digest() != before  # noqa: SLF001


@pytest.mark.parametrize("name", ["src/main.spec.ts", "dist/index.html", "README.md"])
def test_what_is_no_input_does_not(workspace: Path, name: str) -> None:
    before = bundle._inputs_digest()  # noqa: SLF001
    (workspace / name).parent.mkdir(exist_ok=True)
    (workspace / name).write_text("changed", encoding="utf-8")
    assert bundle._inputs_digest() == before  # noqa: SLF001


def executable(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n", encoding="utf-8")
    path.chmod(0o755)
    return path


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without any browser."""
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("PLAYWRIGHT_BROWSERS_PATH", str(tmp_path / "playwright"))
    monkeypatch.delenv(browser.VARIABLE, raising=False)
    monkeypatch.setattr(browser, "APPLICATIONS", ())
    return tmp_path


def test_a_machine_without_a_browser_has_none(machine: Path) -> None:
    assert browser.find() is None


def test_the_variable_beats_playwrights_own_beats_the_systems(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chromium = executable(machine / "bin" / "chromium")
    assert browser.find() == chromium
    shell = executable(machine / "bin" / "chromium-headless-shell")
    assert browser.find() == shell
    assert browser.find(headless=False) == chromium
    revision = browser.playwrights_revision("chromium-headless-shell")
    own = executable(machine / f"playwright/chromium_headless_shell-{revision}/linux/headless_shell")
    assert browser.find() == own
    named = executable(machine / "elsewhere" / "my-chrome")
    monkeypatch.setenv(browser.VARIABLE, str(named))
    assert browser.find() == named


def test_a_variable_that_names_nothing_is_refused(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(browser.VARIABLE, str(machine / "nothing"))
    with pytest.raises(browser.NoBrowserError, match="cannot be run"):
        browser.find()


def test_packages_that_the_cache_does_not_know_yet_are_fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """npm believes what it has cached of a package, and then there is no version as new as the lock."""
    npm = tmp_path / "npm.js"
    npm.write_text(
        "if (process.argv.includes('--prefer-offline')) process.exit(1);\nrequire('fs').mkdirSync('node_modules');\n",
        encoding="utf-8",
    )
    for name in ("package.json", "package-lock.json"):
        (tmp_path / name).write_text("{}", encoding="utf-8")
    monkeypatch.setattr(node, "NPM", npm)
    monkeypatch.setattr(modules, "ROOT", tmp_path.parent)
    modules.ensure(tmp_path)
    assert modules.are_current(tmp_path)
