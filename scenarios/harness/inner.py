"""A made-up project whose tests run in a pytest of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from harness.bootstrap import child_environment

WITHIN_S = 60.0
QUICK = ("-p", "no:schemathesis", "-p", "no:hypothesispytest")
"""Arguments that leave out other people's plugins that take a second to load."""


@dataclass(frozen=True)
class Inner:
    """A folder with scenarios, a conftest of one line, and everything a run leaves."""

    folder: Path
    scenarios: str
    conftest: str = 'pytest_plugins = ["harness.plugin"]'

    def __post_init__(self) -> None:
        (self.folder / "conftest.py").write_text(self.conftest, encoding="utf-8")
        (self.folder / "test_inner.py").write_text(self.scenarios, encoding="utf-8")

    @property
    def home(self) -> Path:
        """Where the harness keeps what runs."""
        return self.folder / "home"

    @property
    def environment(self) -> dict[str, str]:
        """That of every process of this project; nothing of the run around it."""
        inherited = child_environment(os.environ).items()
        kept = {name: value for name, value in inherited if not name.startswith(("PYTEST_", "HARNESS_PROJECT"))}
        return kept | {"HARNESS_HOME": str(self.home), "COLUMNS": "200"}

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """One run of its scenarios."""
        command = [sys.executable, "-m", "pytest", "--rootdir", str(self.folder), str(self.folder), *arguments]
        return subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=WITHIN_S,
        )

    def stale_pid_file(self, pid: int) -> None:
        """What a run that was killed has left with pytest-xprocess; its owner's pid belongs to nobody."""
        folder = self.folder / ".pytest_cache" / "d" / ".xprocess" / f"pytest-main-{2**22 + 1}"
        folder.mkdir(parents=True)
        (folder / "xprocess.PID").write_text(str(pid), encoding="utf-8")
        (self.home / "run").mkdir(parents=True)
        (self.home / "run" / f"{folder.name}.lock").touch()

    def leftovers(self) -> list[Path]:
        """Whatever a run should not have left."""
        xprocess = (self.folder / ".pytest_cache" / "d" / ".xprocess").glob("*")
        return [*self.home.glob("run/*"), *self.home.glob("stacks/*"), *xprocess]
