"""JavaScript packages of a workspace: installed from its lock when that changed, with the node of the wheel."""

from __future__ import annotations

from pathlib import Path

from harness import bootstrap, stamp
from harness.errors import HarnessError
from harness.topology import ROOT

ORACLES = ROOT / "scenarios" / "oracles"
"""The workspace of clients and checks that other people wrote; scenarios run them against the services."""


def ensure(workspace: Path) -> None:
    """Make ``node_modules`` of a workspace agree with its lock file.

    Raises:
        HarnessError: ``npm ci`` failed; with the end of what it said.
    """
    if are_current(workspace):
        return
    with bootstrap.exclusive(f"modules-{workspace.name}"):
        inputs = _inputs(workspace)
        if stamp.fits(_folder(workspace), inputs):
            return
        from harness import node  # noqa: PLC0415  # the wheel is only looked at when something must be installed

        with bootstrap.step(f"JavaScript packages of {workspace.relative_to(ROOT)} (npm ci)"):
            try:
                node.run([node.NPM, "ci", "--prefer-offline"], cwd=workspace, what="npm ci")
            except HarnessError:  # its cache may know no version that is as new as the lock
                node.run([node.NPM, "ci"], cwd=workspace, what="npm ci")
            stamp.put(_folder(workspace), inputs)


def are_current(workspace: Path) -> bool:
    """Whether ``node_modules`` is what the lock file says."""
    return stamp.fits(_folder(workspace), _inputs(workspace))


def _inputs(workspace: Path) -> str:
    return stamp.digest(workspace.joinpath(name).read_bytes() for name in ("package-lock.json", "package.json"))


def _folder(workspace: Path) -> Path:
    return workspace / "node_modules"
