"""Which browser the scenarios run in: found on the machine, or installed once."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

from harness import bootstrap
from harness.errors import HarnessError

VARIABLE = "HARNESS_BROWSER"
HEADLESS_ONLY = ("chromium-headless-shell", "chrome-headless-shell")
INSTALLED = (
    "chromium",
    "chromium-browser",
    "google-chrome-stable",
    "google-chrome",
    "chrome",
    "microsoft-edge-stable",
    "microsoft-edge",
    "msedge",
)
APPLICATIONS = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
)
DEBIAN_PACKAGE = "chromium-headless-shell"
# Chromium asks hosts of its maker for updates and variations at every start; the system under test is offline.
ARGUMENTS = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
)


class NoBrowserError(HarnessError):
    """No browser was found and none could be installed."""


def find(*, headless: bool = True) -> Path | None:
    """The first browser there is: named by ``HARNESS_BROWSER``, Playwright's own, one of the system's; or None.

    A headless shell starts three times as fast as a whole Chromium, so it is preferred when no window is wanted.

    Raises:
        NoBrowserError: ``HARNESS_BROWSER`` names something that cannot be run.
    """
    if named := os.environ.get(VARIABLE):
        path = shutil.which(named)
        if path is None:
            raise NoBrowserError(f"{VARIABLE}={named!r} cannot be run", todo=f"correct {VARIABLE} or unset it")
        if headless or not Path(path).name.endswith("headless-shell"):
            return Path(path)
    names = (*HEADLESS_ONLY, *INSTALLED) if headless else INSTALLED
    system = (Path(path) for name in (*names, *APPLICATIONS) if (path := shutil.which(name)))
    return next(_playwrights_own(headless=headless), None) or next(system, None)


def ensure() -> Path:
    """A browser for headless runs, installed first when the machine has none.

    Raises:
        NoBrowserError: it could not be installed either; says what was tried.
    """
    if found := find():
        return found
    tried = []
    for title, install in (
        ("Playwright's headless Chromium", _install_playwrights),
        ("Debian's Chromium", _install_debians),
    ):
        with bootstrap.exclusive("browser"), bootstrap.step(f"Browser ({title})"):
            tried.append(f"{title}: {install()}")
        if found := find():
            return found
    raise NoBrowserError("there is no browser for the scenarios", evidence="\n".join(tried), todo=how_to_get_one())


def how_to_get_one() -> str:
    """One sentence for people without a browser."""
    return f"install Chromium, Chrome or Edge by your system's packages, or set {VARIABLE} to the path of one"


def playwrights_revision(kind: str) -> str:
    """The revision of a browser that the installed Playwright goes with."""
    listing = resources.files("playwright").joinpath("driver", "package", "browsers.json")
    return next(
        str(entry["revision"]) for entry in json.loads(listing.read_text())["browsers"] if entry["name"] == kind
    )


def _playwrights_own(*, headless: bool) -> Iterator[Path]:
    kinds = ("chromium-headless-shell", "chromium") if headless else ("chromium",)
    executables = ("headless_shell", "chrome-headless-shell", "chrome", "chrome.exe", "chrome-headless-shell.exe")
    for kind in kinds:
        folder = _playwrights_folder() / f"{kind.replace('-', '_')}-{playwrights_revision(kind)}"
        yield from (
            path for name in executables for path in sorted(folder.glob(f"*/{name}")) if os.access(path, os.X_OK)
        )


def _playwrights_folder() -> Path:
    if chosen := os.environ.get("PLAYWRIGHT_BROWSERS_PATH"):
        return Path(chosen)
    if sys.platform == "darwin":
        return Path.home() / "Library/Caches/ms-playwright"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData/Local")) / "ms-playwright"
    return Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "ms-playwright"


def _install_playwrights() -> str:
    return _run(sys.executable, "-m", "playwright", "install", "--only-shell", "chromium")


def _install_debians() -> str:
    apt = shutil.which("apt-get")
    if apt is None or os.name == "nt" or os.geteuid() != 0:
        return "needs Debian's apt-get and root"
    os.environ.setdefault("DEBIAN_FRONTEND", "noninteractive")
    updated = _run(apt, "update", "--quiet")
    return (
        updated
        if updated != "ok"
        else _run(apt, "install", "--yes", "--quiet", "--no-install-recommends", DEBIAN_PACKAGE)
    )


def _run(*command: str) -> str:
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=600,
        )
    except subprocess.TimeoutExpired:
        return f"{' '.join(command)} took more than ten minutes"
    if done.returncode == 0:
        return "ok"
    last = next((line for line in reversed(done.stdout.splitlines()) if line.strip()), "no output")
    return f"{' '.join(command[-3:])} ended with {done.returncode}: {last.strip()[:200]}"
