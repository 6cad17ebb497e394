"""What goes wrong before a system runs, and while it does: a sentence that says what, why and what to do; no trace."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from harness.plugin import evidence
from harness.plugin.systems import Systems
from scenarios.harness.checkout import Checkout, checkouts

pytestmark = pytest.mark.xdist_group("bad-input")

PYPROJECT = """
[tool.harness.services.imports-nonsense]
app = "nonsense:create_app"
health = "/"

[tool.harness.services.has-no-factory]
app = "broken:create_nothing"
health = "/"

[tool.harness.services.raises]
app = "broken:raises"
health = "/"

[tool.harness.services.refuses]
app = "broken:refuses"
health = "/"

[tool.harness.services.unwell]
command = "python -S -E unwell.py {port}"
health = "/"
ready_timeout = 1.5

[tool.harness.services.hangs]
command = "python -S -E hangs.py {port}"
health = "/"
ready_timeout = 1.5

[tool.harness.services.robbed]
command = "python -S -E robbed.py {port} {folder}"
health = "/"

[tool.harness.services.talkative]
command = "python -S -E talkative.py {port}"
health = "/"

[tool.harness.services.filler]
command = "python -S -E filler.py {port}"
health = "tcp"

[tool.harness.services.no-program]
command = "no-such-program --port {port}"
"""
BROKEN = """
def raises():
    raise RuntimeError("the shelves are empty")


def refuses():
    async def app(scope, receive, send):
        await receive()
        await send({"type": "lifespan.startup.failed", "message": "the key is lost"})
    return app

"""
UNWELL = """
import socket, sys
listening = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    caller = listening.accept()[0]
    caller.recv(4096)
    caller.sendall(b"HTTP/1.1 503 Not Today\\r\\nContent-Length: 0\\r\\n\\r\\n")
    caller.close()
"""
HANGS = """
import socket, sys
listening = socket.create_server(("127.0.0.1", int(sys.argv[1])))
held = []
while True:
    held.append(listening.accept())
"""
ROBBED = """
import os, signal, socket, sys
port, folder = int(sys.argv[1]), sys.argv[2]
if len(sys.argv) > 3:  # the thief: nobody of this service
    thief = socket.create_server(("127.0.0.1", port))
    os.write(int(sys.argv[3]), b"x")
    signal.pause()
there, tell = os.pipe()
os.set_inheritable(tell, True)
if os.fork() == 0:
    os.setsid()
    os.execve(sys.executable, [sys.executable, *sys.argv, str(tell)], os.environ | {"HARNESS_SERVICE": "stranger"})
os.read(there, 1)
socket.create_server(("127.0.0.1", port))
"""
TALKATIVE = """
import os
os.ftruncate(1, 100 << 20)
for number in range(5000):
    os.write(1, b"line %d \\x1b[31m\\n" % number)
os.write(1, b"x" * 5000)
raise SystemExit(7)
"""
FILLER = """
import os, socket, sys
size = 1 << 16
while size:
    try:
        os.write(1, b"x" * size)
    except OSError:
        size //= 2
listening = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    listening.accept()[0].close()
"""
TESTS = """
def test_import(imports_nonsense): ...
def test_factory(has_no_factory): ...
def test_construction(raises): ...
def test_lifespan(refuses): ...
def test_503(unwell): ...
def test_hangs(hangs): ...
def test_port(robbed): ...
def test_log(talkative): ...
def test_program(no_program): ...
def test_restart(filler):
    filler.stack.restart("nonsense")
"""
FILES = {
    "pyproject.toml": PYPROJECT,
    "broken.py": BROKEN,
    "unwell.py": UNWELL,
    "hangs.py": HANGS,
    "robbed.py": ROBBED,
    "talkative.py": TALKATIVE,
    "filler.py": FILLER.replace("size = 1 << 16", "size = 0"),
    "conftest.py": 'pytest_plugins = ["harness.plugin"]',
    "test_broken.py": TESTS,
}
QUICK = ("-q", "-p", "no:playwright", "-p", "no:schemathesis", "-p", "no:hypothesispytest")


@pytest.fixture(scope="module", autouse=True)
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where the checkouts are. In the end nothing that ever came out of any of them may live."""
    with checkouts(tmp_path_factory) as place:
        yield place


@pytest.fixture(scope="module")
def broken(folder: Path) -> Checkout:
    """A checkout in which every service is broken in its own way."""
    return Checkout(folder / "broken", FILES)


@pytest.fixture(scope="module")
def report(broken: Checkout) -> str:
    """What pytest tells of tests that ask for such services."""
    run = broken.run("pytest", *QUICK, "--tb=short")
    assert run.returncode == 1, run.stdout + run.stderr
    return run.stdout


@pytest.mark.parametrize(
    ("test", "sentences"),
    [
        ("test_import", ["imports-nonsense ended with exit code 1", "ModuleNotFoundError: No module named 'nonsense'"]),
        ("test_factory", ["has-no-factory ended with exit code 1", "has no attribute 'create_nothing'"]),
        ("test_construction", ["raises ended with exit code 1", "broken.py", "RuntimeError: the shelves are empty"]),
        ("test_lifespan", ["refuses ended with exit code 3 before it was healthy", "the key is lost"]),
        ("test_503", ["unwell was not healthy after 1.", "waited for 200 from http://", "last answer: status 503"]),
        ("test_hangs", ["hangs was not healthy after 1.", "last answer: none for ", "its log is empty"]),
        ("test_port", ["robbed ended with exit code 1", "is held by pid", "robbed.py", "Address already in use"]),
        ("test_program", ["no-program could not be started", "No such file or directory: 'no-such-program'"]),
        ("test_log", ["talkative ended with exit code 7", "| line 4961 \\x1b[31m\n", "| …xxx"]),
        ("test_restart", ["'nonsense' is not part of the running system", "→ it runs: filler"]),
    ],
)
def test_a_broken_service_fails_its_test_with_what_why_and_where(test: str, sentences: list[str], report: str) -> None:
    _, _, after = report.partition(f" {test} ___")
    told = after.partition("\n____")[0]
    assert [sentence for sentence in sentences if sentence not in told] == []
    assert test == "test_restart" or "→ log: " in told


def test_the_report_of_a_huge_log_is_small(report: str) -> None:
    assert len(report) < 40_000


def test_broken_services_leave_nothing(report: str, broken: Checkout) -> None:
    assert broken.living() == []
    assert list(broken.home.glob("*/*")) == []


@pytest.mark.parametrize(
    ("service", "sentence"),
    [("robbed", "is held by pid"), ("unwell", "status 503")],
)
def test_up_with_a_broken_service_exits_with_2_and_leaves_no_process(service: str, sentence: str, folder: Path) -> None:
    checkout = Checkout(folder / service, FILES)
    refused = checkout.run("harness", "up", "--detach", "--only", service)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert f"error: {service} " in refused.stderr
    assert sentence in refused.stderr
    assert "Traceback" not in refused.stderr.replace("| Traceback", "")
    assert checkout.living() == []
    assert [path.name for path in checkout.home.glob("run/*.json")] == []


def test_a_failing_tests_share_of_a_huge_log_costs_no_memory(tmp_path: Path) -> None:
    with (tmp_path / "api.log").open("wb") as file:
        file.truncate(100 << 20)
    systems = cast("Systems", SimpleNamespace(running=[SimpleNamespace(folder=tmp_path)], supervisor_log=None))
    tracemalloc.start()
    try:
        ((title, text),) = evidence.log_sections(systems, {})
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert title == "api log"
    assert text.startswith(f"… {(100 << 20) - evidence.SECTION_LIMIT} bytes before this: {tmp_path / 'api.log'}\n")
    assert peak < 10 * evidence.SECTION_LIMIT


@pytest.mark.parametrize("what", ["a folder", "binary"])
def test_an_unreadable_dotenv_is_refused_before_anything_starts(what: str, folder: Path) -> None:
    checkout = Checkout(folder / f"dotenv-{what[-6:]}", FILES)
    path = checkout.folder / ".env"
    path.mkdir() if what == "a folder" else path.write_bytes(b"UNWELL_PORT=\xff\xfe\n")
    refused = checkout.run("harness", "up", "--detach", "--only", "filler")
    assert refused.returncode == 2
    assert f"error: {path} cannot be read" in refused.stderr
    assert "→ correct it, or remove it" in refused.stderr
    assert not checkout.home.exists()


def test_of_two_ups_at_once_one_runs_and_the_other_says_so(folder: Path) -> None:
    checkout = Checkout(folder / "twice", FILES)
    ups = [checkout.start("harness", "up", "--detach", "--json", "--only", "filler") for _ in range(2)]
    told = [process.communicate() for process in ups]
    assert sorted(process.returncode for process in ups) == [0, 2]
    (refusal,) = [errors for process, (_, errors) in zip(ups, told, strict=True) if process.returncode == 2]
    (document,) = [output for output, _ in told if output]
    assert "is running already" in refusal
    assert "→ stop it: python -m harness down" in refusal
    status = checkout.run("harness", "status", "--json")
    assert (status.returncode, json.loads(status.stdout)["nonce"]) == (0, json.loads(document)["nonce"])
    assert checkout.run("harness", "down").returncode == 0
    assert checkout.living() == []


SMALL_DISK = """
mkdir .harness
mount -t tmpfs -o size=256k none .harness
h() { name=$1; shift; "$python" -m harness "$@" 2>$name.txt >&2; echo $name $?; }
h up up --detach --only filler
h status status
h restart restart filler
h down down
find .harness -name '*.json'
dd if=/dev/zero of=.harness/full bs=1k 2>/dev/null
h full up --detach --only filler
"""


@pytest.fixture
def small_disk(folder: Path) -> tuple[Checkout, str]:
    """A checkout whose harness has a disk of its own, which a service fills; what its commands came to."""
    namespace = ["unshare", "--user", "--map-root-user", "--mount"]
    if not shutil.which("unshare") or subprocess.run([*namespace, "true"], check=False).returncode:
        pytest.skip("this system gives no disk of one's own (unshare)")
    checkout = Checkout(folder / "small-disk", {**FILES, "filler.py": FILLER})
    done = subprocess.run(
        [*namespace, "sh", "-c", SMALL_DISK],
        cwd=checkout.folder, env=checkout.environment | {"python": sys.executable},
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    return checkout, done.stdout


def test_a_full_disk_keeps_nobody_from_looking_and_ending(small_disk: tuple[Checkout, str]) -> None:
    checkout, codes = small_disk
    assert codes.splitlines() == ["up 0", "status 0", "restart 0", "down 0", "full 2"]
    refusal = (checkout.folder / "full.txt").read_text(encoding="utf-8")
    assert "error: the supervisor 'up' did not start" in refusal
    assert "  it wrote nothing; 0 bytes are free on the disk of " in refusal
    assert checkout.living() == []
