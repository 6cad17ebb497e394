"""From a bare Python to ``.venv``: in a made-up checkout with two packages of its own, by the real pip and the real uv.

Nothing leaves the machine: the package index is a folder.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import venv
import zipfile
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from harness.bootstrap import VENV
from harness.topology import ROOT

UV = VENV / "bin" / "uv"
BARE = Path(getattr(sys, "_base_executable", sys.executable))
PASSED_WITHIN_S = 0.3
WITHIN_S = 30.0
PACKAGES = "Python packages (requirements.lock)"
ENVIRONMENT = "Python environment (.venv)"
CLI = """
import os, sys

import cargo

def main(argv):
    print(*argv, cargo.VERSION, sys.prefix, "PYTHONDONTWRITEBYTECODE" in os.environ)
    return 0
"""
# What pip installs in a made-up checkout: the real uv by another name, which can be held up.
HOLDABLE_UV = f"""#!python
import os, sys

if "HOLD" in os.environ:
    open(os.environ["HOLD"]).read()
os.execv({str(UV)!r}, [{str(UV)!r}, *sys.argv[1:]])
"""


def wheel(folder: Path, name: str, version: str, files: dict[str, str]) -> str:
    """Build a wheel; returns its line of the lock file."""
    path, info = folder / f"{name}-{version}-py3-none-any.whl", f"{name}-{version}.dist-info"
    metadata = {
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: by hand\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{each},,\n" for each in (*files, *metadata, f"{info}/RECORD"))
    with zipfile.ZipFile(path, "w") as archive:
        for each, text in (files | metadata | {f"{info}/RECORD": record}).items():
            member = zipfile.ZipInfo(each)
            member.external_attr = (stat.S_IFREG | (0o755 if "/scripts/" in each else 0o644)) << 16
            archive.writestr(member, text)
    return f"{name}=={version} \\\n    --hash=sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}\n"


@dataclass
class Checkout:
    """A made-up checkout of this project and a package index of its own."""

    root: Path
    env: dict[str, str] = field(default_factory=dict)

    @property
    def venv(self) -> Path:
        return self.root / ".venv"

    def lock(self, version: str) -> None:
        """Pin that version of the package the command needs."""
        pinned = [
            wheel(self.root / "index", "cargo", version, {"cargo.py": f"VERSION = {version!r}\n"}),
            wheel(self.root / "index", "uv", "9.9", {"uv-9.9.data/scripts/uv": HOLDABLE_UV}),
        ]
        (self.root / "requirements.lock").write_text("".join(pinned), encoding="utf-8")

    def begin(self, python: Path = BARE, /, **env: str) -> subprocess.Popen[str]:
        """Start ``python -m harness up`` as a machine without any of our packages does."""
        return subprocess.Popen(
            [python, "-m", "harness", "up"], cwd=self.root, env=self.env | env, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
        )  # fmt: skip

    def up(self, **env: str) -> subprocess.CompletedProcess[str]:
        """Run it to its end."""
        process = self.begin(**env)
        output, errors = process.communicate(timeout=WITHIN_S)
        return subprocess.CompletedProcess(process.args, process.returncode, output, errors)

    def done(self, version: str) -> str:
        """What the command prints when the set-up has made it possible."""
        return f"up {version} {self.venv} False\n"


@pytest.fixture
def bare(tmp_path: Path) -> Checkout:
    """A checkout where nothing has been set up."""
    harness = tmp_path / "harness"
    harness.mkdir()
    for name in ("__init__.py", "__main__.py", "bootstrap.py"):
        shutil.copy(ROOT / "harness" / name, harness)
    (harness / "cli.py").write_text(CLI, encoding="utf-8")
    index = tmp_path / "index"
    index.mkdir()
    offline = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(index), "UV_OFFLINE": "1", "UV_FIND_LINKS": str(index)}
    own = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "UV_CACHE_DIR": str(tmp_path / "cache")}
    checkout = Checkout(tmp_path, offline | own)
    checkout.lock("1.0")
    return checkout


@pytest.fixture
def begun(bare: Checkout) -> Checkout:
    """A checkout whose set-up was interrupted when it had its Python and uv, and no package yet."""
    venv.EnvBuilder(with_pip=False, symlinks=True).create(bare.venv)
    uv = bare.venv / "bin" / "uv"
    uv.write_text(HOLDABLE_UV.replace("#!python", f"#!{bare.venv / 'bin' / 'python'}"), encoding="utf-8")
    uv.chmod(0o755)
    return bare


def test_two_at_once_on_a_bare_machine_set_up_once(bare: Checkout) -> None:
    both = [bare.begin(), bare.begin()]
    told = [process.communicate(timeout=WITHIN_S) for process in both]
    assert [process.returncode for process in both] == [0, 0], told
    assert [output for output, _ in told] == [bare.done("1.0")] * 2
    for title in (ENVIRONMENT, PACKAGES):
        assert sorted(errors.count(f"· {title}: done in") for _, errors in told) == [0, 1], told
    assert all(errors.startswith("Dress Rehearsal · up\n") for _, errors in told)


def test_the_second_call_passes_the_set_up_at_once(begun: Checkout) -> None:
    assert f"· {PACKAGES}: done in" in begun.up().stderr
    process = begun.begin()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    output, errors = process.communicate()
    assert (process.returncode, output, errors) == (0, begun.done("1.0"), "Dress Rehearsal · up\n")
    assert used.ru_utime + used.ru_stime < PASSED_WITHIN_S


def test_another_lock_installs_what_it_pins(begun: Checkout) -> None:
    assert begun.up().stdout == begun.done("1.0")
    begun.lock("1.10")
    again = begun.up()
    assert again.stdout == begun.done("1.10")
    assert f"· {ENVIRONMENT}: done in 0.0 s" in again.stderr


def test_a_package_that_is_not_what_was_pinned_is_refused(begun: Checkout) -> None:
    wheel(begun.root / "index", "cargo", "1.0", {"cargo.py": "VERSION = 'of somebody else'\n"})
    refused = begun.up()
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "Hash mismatch" in refused.stderr


def test_without_a_package_index_one_error_says_so_and_the_next_call_goes_on(begun: Checkout) -> None:
    env, begun.env = begun.env, begun.env | {"UV_FIND_LINKS": str(begun.root)}
    failed = begun.up()
    assert (failed.returncode, failed.stdout) == (2, "")
    what = failed.stderr[failed.stderr.index("error: ") :].splitlines()
    assert re.fullmatch(r"error: a set-up step failed with exit code [12]", what[0])
    assert any(line.startswith("  | ") and "cargo" in line for line in what)
    assert "it needs pip and a package index" in what[-1]
    assert "Traceback" not in failed.stderr

    begun.env = env
    assert begun.up().stdout == begun.done("1.0")


def test_an_interrupted_set_up_goes_on_with_the_next_call(begun: Checkout) -> None:
    held = begun.root / "held"
    os.mkfifo(held)
    process = begun.begin(HOLD=str(held))
    assert process.stderr is not None
    assert f"· {PACKAGES} …\n" in iter(process.stderr.readline, "")
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=WITHIN_S)
    assert process.returncode == 130
    assert f"· {PACKAGES}: failed after" in errors
    assert errors.endswith("interrupted; the same command goes on where this one stopped\n")
    assert "Traceback" not in errors

    again = begun.up()
    assert again.stdout == begun.done("1.0")
    assert f"· {ENVIRONMENT}: done in 0.0 s" in again.stderr


def test_a_damaged_environment_is_told(begun: Checkout) -> None:
    begun.up()
    next(begun.venv.rglob("cargo.py")).unlink()
    for compiled in begun.venv.rglob("cargo.*.pyc"):
        compiled.unlink()
    damaged = begun.up()
    assert damaged.returncode == 2
    assert f"error: {begun.venv} is damaged: No module named 'cargo'" in damaged.stderr
    assert "remove it and run the same command again" in damaged.stderr
    assert f"· {PACKAGES} …" in begun.up().stderr, "what is damaged does not count as set up"


def test_an_environment_whose_python_is_gone_is_made_anew(begun: Checkout) -> None:
    begun.up()
    python = begun.venv / "bin" / "python"
    python.unlink()
    python.symlink_to("/python-of-yesterday")
    assert begun.up().stdout == begun.done("1.0")


def test_no_process_of_ours_goes_without_compiled_bytecode(begun: Checkout) -> None:
    """It would double every cold start; also when somebody starts the harness by the Python of ``.venv`` itself."""
    assert begun.up(PYTHONDONTWRITEBYTECODE="1").stdout == begun.done("1.0")
    process = begun.begin(begun.venv / "bin" / "python", PYTHONDONTWRITEBYTECODE="1")
    assert process.communicate(timeout=WITHIN_S) == (begun.done("1.0"), "Dress Rehearsal · up\n")


def test_what_the_system_refuses_is_told_without_a_traceback(bare: Checkout) -> None:
    (bare.root / "requirements.lock").unlink()
    refused = bare.up()
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr.startswith("Dress Rehearsal · up\nerror: the set-up cannot go on: ")
    assert "requirements.lock" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_lock_without_uv_is_refused(bare: Checkout) -> None:
    (bare.root / "requirements.lock").write_text("cargo==1.0\n", encoding="utf-8")
    refused = bare.up()
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr.endswith(
        "error: requirements.lock does not pin uv\n  restore it: git checkout requirements.lock\n"
    )
