"""``up --watch``: what a change concerns, and that a service then runs its new sources."""

from __future__ import annotations

import os
import queue
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from harness.bootstrap import child_environment
from harness.topology import ROOT, SERVICES, Service
from harness.watch import Sources

WITHIN_S = 30.0
TITLE = "Dress Rehearsal identity provider"


@pytest.mark.parametrize(
    ("changed", "concerned"),
    [
        ("services/idp/token.py", ["idp"]),
        ("services/idp/templates/login.html", ["idp"]),
        ("services/ticketing/tools.py", ["ticketing"]),
        ("services/shared/world/model.py", ["idp", "ticketing", "organizations", "api"]),
        ("services/shared/world/base.yaml", ["idp", "ticketing", "organizations", "api"]),
        ("services/ui/app.py", []),
    ],
)
def test_a_change_concerns_whose_it_is(changed: str, concerned: list[str]) -> None:
    assert list(Sources(ROOT, SERVICES.values()).concerned([ROOT / changed])) == concerned


@pytest.mark.parametrize(
    ("path", "is_source"),
    [
        ("services/idp/token.py", True),
        ("services/shared/world/base.yaml", True),
        ("services/idp/__pycache__/token.py", False),
        ("services/.hidden/notes.py", False),
        ("services/idp/notes.md", False),
    ],
)
def test_only_sources_are_followed(path: str, is_source: bool) -> None:
    assert Sources(ROOT, SERVICES.values()).is_source(ROOT / path) is is_source


def test_a_project_at_the_top_of_its_folder_does_not_follow_what_running_it_writes(tmp_path: Path) -> None:
    shop = Service("shop", "Shop", "shop:create_app", "SHOP_URL", own=False)
    sources = Sources(tmp_path, [shop, SERVICES["idp"]])
    assert sources.watched == sorted([tmp_path, ROOT / "services"])
    assert not sources.is_source(tmp_path / ".harness" / "run" / "up.json")
    assert sources.is_source(tmp_path / "shop.py")
    assert list(sources.concerned([tmp_path / "shop.py"])) == ["shop"]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of this one, whose sources may be changed."""
    for part in ("harness", "services"):
        shutil.copytree(ROOT / part, tmp_path / part, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "requirements.lock", tmp_path)
    (tmp_path / ".venv").symlink_to(Path(sys.prefix))
    return tmp_path


class Up:
    """``up --watch`` in a checkout, and what it says."""

    def __init__(self, checkout: Path) -> None:
        env = {key: value for key, value in child_environment(os.environ).items() if not key.startswith("HARNESS_")}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "harness", "up", "--watch", "--ports", "random", "--only", "idp"],
            cwd=checkout, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        self._lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        for line in self.process.stdout or ():
            self._lines.put(line)
        self._lines.put(None)

    def says(self, text: str) -> str:
        """The next line with ``text``."""
        heard = []
        while (line := self._lines.get(timeout=WITHIN_S)) is not None:
            heard.append(line)
            if text in line:
                return line
        raise AssertionError(f"it never said {text!r}:\n{''.join(heard)}")


@pytest.fixture
def up(checkout: Path) -> Iterator[Up]:
    running = Up(checkout)
    yield running
    running.process.send_signal(signal.SIGINT)
    assert running.process.wait(timeout=WITHIN_S) == 0


def test_a_service_runs_its_new_sources_and_recovers_from_broken_ones(up: Up, checkout: Path) -> None:
    url = up.says("http://localhost:").split()[1]
    up.says("Ctrl-C stops everything")
    source = checkout / "services" / "idp" / "app.py"
    text = source.read_text(encoding="utf-8")
    assert title(url) == TITLE

    source.write_text(text.replace(TITLE, "Another title"), encoding="utf-8")
    assert "app.py changed; restarting idp" in up.says("changed")
    up.says("healthy after")
    assert title(url) == "Another title"

    source.write_text("this is no Python", encoding="utf-8")
    up.says("SyntaxError")
    source.write_text(text, encoding="utf-8")
    up.says("healthy after")
    assert title(url) == TITLE


def title(url: str) -> str:
    told: str = httpx.get(f"{url}/openapi.json").json()["info"]["title"]
    return told
