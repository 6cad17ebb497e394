"""The Angular bundle: built when its inputs changed, found in milliseconds when they did not."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from harness import bootstrap, modules, stamp
from harness.topology import ROOT

WORKSPACE = ROOT / "ui"
DIST = WORKSPACE / "dist"
NG = Path("node_modules/@angular/cli/bin/ng.js")
SINGLE_INPUTS = ("angular.json", "package.json", "package-lock.json", ".npmrc")


def ensure() -> Path:
    """The folder of the built bundle, the one with ``index.html``; installs and builds first where needed."""
    built = DIST / "ui" / "browser"
    if stamp.fits(DIST, _inputs_digest()):
        return built
    with bootstrap.exclusive("bundle"):
        digest = _inputs_digest()
        if stamp.fits(DIST, digest):
            return built
        modules.ensure(WORKSPACE)
        _build(digest)
    return built


def is_current() -> bool:
    """Whether the built bundle is that of the sources."""
    return stamp.fits(DIST, _inputs_digest())


def _build(digest: str) -> None:
    from harness import node  # noqa: PLC0415

    draft, outdated = (WORKSPACE / f"dist.{os.getpid()}.{which}" for which in ("new", "old"))
    with bootstrap.step("Web interface (ng build)"):
        try:
            node.run([NG, "build", "--output-path", draft / "ui", "--progress=false"], cwd=WORKSPACE, what="ng build")
            stamp.put(draft, digest)
            if DIST.exists():  # one rename, so that a server of the old bundle never sees half a folder
                DIST.rename(outdated)
            draft.rename(DIST)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
            shutil.rmtree(outdated, ignore_errors=True)


def _inputs_digest() -> str:
    return stamp.digest(_inputs())


def _inputs() -> Iterator[bytes]:
    singles = [WORKSPACE / name for name in SINGLE_INPUTS]
    folders = [path for name in ("src", "public") for path in (WORKSPACE / name).rglob("*") if path.is_file()]
    for path in [*singles, *sorted(WORKSPACE.glob("tsconfig*.json")), *sorted(folders)]:
        if path.name.endswith((".spec.ts", ".local.ts")):
            continue
        yield str(path.relative_to(WORKSPACE)).encode()
        yield path.read_bytes()
