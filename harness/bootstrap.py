"""From a bare Python to the project's own ``.venv``: standard library only.

The virtual environment is made without pip of its own (Debian's Python cannot), uv is put into it by the pip of the
running interpreter, and uv installs what ``requirements.lock`` pins by hash. Then the command runs again in there.
"""

from __future__ import annotations

import hashlib
import os
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
LOCK = ROOT / "requirements.lock"
STAMP = VENV / "requirements.sha256"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
UV = PYTHON.with_name("uv.exe" if os.name == "nt" else "uv")
HANDED_OVER = "HARNESS_HANDED_OVER"
UNWANTED_BYTECODE = "PYTHONDONTWRITEBYTECODE"
DROPPED = "HARNESS_DROPPED"
"""Tells ``doctor`` what :func:`child_environment` has kept from it."""
LOOKS_ONLY = "doctor"
ANNOUNCED = ("up", "test", "fuzz", "record", "bench", "probe")


def main(argv: Sequence[str]) -> int:
    """Run one command of the harness inside the virtual environment; returns its exit code."""
    announced = os.environ.pop(HANDED_OVER, None) is not None
    if argv and argv[0] in ANNOUNCED and not announced:
        print(f"Dress Rehearsal · {' '.join(argv)}", file=sys.stderr, flush=True)
    doctor = bool(argv) and argv[0] == LOOKS_ONLY
    code = _set_up(looks_only=doctor)
    if code:
        return code
    if Path(sys.prefix).resolve() == VENV.resolve() and UNWANTED_BYTECODE not in os.environ:
        try:
            from harness import cli  # noqa: PLC0415
        except ImportError as error:
            STAMP.unlink(missing_ok=True)
            print(f"error: {VENV} is damaged: {error}\n  → remove it and run the same command again", file=sys.stderr)
            return 2
        return cli.main(argv)
    command = [str(PYTHON), "-m", "harness", *argv]
    environment = {**child_environment(os.environ), HANDED_OVER: "1"}
    if doctor:
        environment[DROPPED] = " ".join(os.environ.keys() - environment.keys())
    if os.name == "nt":  # execve on Windows returns to the shell before the command has ended
        import subprocess  # noqa: PLC0415

        return subprocess.call(command, env=environment)
    return os.execve(command[0], command, environment)


def _set_up(*, looks_only: bool) -> int:
    """Make the packages available; returns the exit code of a command that must do without them, else 0."""
    try:
        require_packages() if looks_only else ensure_packages()
    except SetupError as error:
        print(error, file=sys.stderr)
        return 2
    except OSError as error:
        print(f"error: the set-up cannot go on: {error}", file=sys.stderr)
        print("  put that right, then run the same command again; it goes on where it stopped", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted; the same command goes on where this one stopped", file=sys.stderr)
        return 130
    return 0


class SetupError(Exception):
    """A step of the set-up failed; the text says what, shows the evidence and what to do."""


def child_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment for our own processes: no setting that doubles every cold start or leads to another venv."""
    dropped = (UNWANTED_BYTECODE, "PYTHONHOME", "PYTHONPATH", "VIRTUAL_ENV", "UV_PROJECT_ENVIRONMENT")
    return {name: value for name, value in environ.items() if name not in dropped}


def ensure_packages() -> None:
    """Make ``.venv`` agree with ``requirements.lock``; costs one hash when it already does."""
    wanted = hashlib.sha256(LOCK.read_bytes()).hexdigest()
    if _stamp() == wanted and os.access(PYTHON, os.X_OK):
        return
    with exclusive("setup"):
        if _stamp() == wanted and os.access(PYTHON, os.X_OK):  # another process was faster
            return
        with step("Python environment (.venv)"):
            if not os.access(PYTHON, os.X_OK):
                import venv  # noqa: PLC0415  # here and below: what set-up alone needs, every other command goes without

                venv.EnvBuilder(with_pip=False, clear=True, symlinks=os.name != "nt").create(VENV)
            if not os.access(UV, os.X_OK):
                _install_uv()
        with step("Python packages (requirements.lock)"):
            _run([str(UV), "pip", "sync", "--python", str(PYTHON), "--require-hashes", "--compile-bytecode", str(LOCK)])
            _purelib().joinpath("dress_rehearsal.pth").write_text(f"{ROOT}\n", encoding="utf-8")
        STAMP.write_text(wanted, encoding="utf-8")


def require_packages() -> None:
    """Raise SetupError unless there is a virtual environment, of whatever state."""
    if not os.access(PYTHON, os.X_OK):
        raise SetupError(f"error: there is no Python in {VENV} yet\n  any other command makes it: python -m harness up")


def _stamp() -> str:
    return STAMP.read_text(encoding="utf-8") if STAMP.is_file() else ""


def _purelib() -> Path:
    import subprocess  # noqa: PLC0415

    return Path(
        subprocess.check_output(
            [PYTHON, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], text=True
        ).strip()
    )


def _install_uv() -> None:
    import re  # noqa: PLC0415
    import tempfile  # noqa: PLC0415

    pinned = re.search(r"^uv==[^\n]*(?:\n +--hash[^\n]*)*", LOCK.read_text(encoding="utf-8"), re.MULTILINE)
    if pinned is None:
        raise SetupError("error: requirements.lock does not pin uv\n  restore it: git checkout requirements.lock")
    with tempfile.TemporaryDirectory() as folder:
        requirement = Path(folder, "uv.txt")
        requirement.write_text(pinned[0], encoding="utf-8")
        pip = [
            sys.executable,
            "-m",
            "pip",
            "--python",
            str(PYTHON),
            "install",
            "--quiet",
            "--disable-pip-version-check",
        ]
        _run([*pip, "--require-hashes", "--no-deps", "-r", str(requirement)])


def _run(command: Sequence[str]) -> None:
    import subprocess  # noqa: PLC0415

    done = subprocess.run(
        command,
        env=child_environment(os.environ),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        tail = "\n".join(f"  | {line}" for line in done.stdout.strip().splitlines()[-15:])
        raise SetupError(
            f"error: a set-up step failed with exit code {done.returncode}\n  {' '.join(command)}\n{tail}\n"
            "  it needs pip and a package index (proxies and mirrors: PIP_INDEX_URL and UV_DEFAULT_INDEX); "
            "then run the same command again, it goes on where it stopped"
        )


@contextmanager
def step(title: str) -> Iterator[None]:
    """Tell that a long step runs, how long it has been running, and how long it took."""
    started, done = time.monotonic(), threading.Event()
    live = sys.stderr.isatty()

    def tick() -> None:
        while not done.wait(0.2 if live else 10):
            line = f"· {title} … {time.monotonic() - started:.0f} s"
            print(f"\r{line}" if live else line, end="" if live else "\n", file=sys.stderr, flush=True)

    ticker = threading.Thread(target=tick, daemon=True)
    outcome = "failed after"
    try:
        print(f"· {title} …", end="" if live else "\n", file=sys.stderr, flush=True)
        ticker.start()
        yield
        outcome = "done in"
    finally:
        done.set()
        if ticker.is_alive():
            ticker.join()
        print(
            f"{chr(13) if live else ''}· {title}: {outcome} {time.monotonic() - started:.1f} s",
            file=sys.stderr,
            flush=True,
        )


@contextmanager
def exclusive(name: str) -> Iterator[None]:
    """Hold the lock ``.harness/NAME.lock`` against other processes of this checkout."""
    path = ROOT / ".harness" / f"{name}.lock"
    path.parent.mkdir(exist_ok=True)
    with path.open("a+b") as file:
        if os.name == "nt":
            import msvcrt  # noqa: PLC0415

            msvcrt.locking(file.fileno(), msvcrt.LK_LOCK, 1)  # type: ignore[attr-defined,unused-ignore]
        else:
            import fcntl  # noqa: PLC0415

            fcntl.flock(file, fcntl.LOCK_EX)
        yield
