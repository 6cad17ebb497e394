"""The rules of the house, so that no reviewer has to remember them."""

from __future__ import annotations

import ast
import os
import re
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness import bundle, modules
from harness.artefacts import generated_paths
from harness.ports import PORTS
from harness.serve import build
from harness.topology import ROOT, SERVICES

LONGEST_MODULE = 400


def tracked(*suffixes: str) -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    paths = [ROOT / name for name in listed.stdout.split("\0") if name]
    return [path for path in paths if path.suffix in suffixes and path.is_file()]


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{path}: relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def belongs(path: Path, *folders: str) -> bool:
    return path.relative_to(ROOT).parts[: len(folders)] == folders


def python() -> list[Path]:
    return tracked(".py")


def test_services_import_neither_the_harness_nor_each_other() -> None:
    strangers = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in python()
        if belongs(path, "services")
        for name in imports(path)
        if name.split(".")[0] in ("harness", "scenarios")
        or (name.startswith("services.") and name.split(".")[1] not in ("shared", path.relative_to(ROOT).parts[1]))
    ]
    assert strangers == []


def test_the_harness_knows_services_only_as_strings() -> None:
    strangers = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in python()
        if belongs(path, "harness")
        for name in imports(path)
        if name.split(".")[0] in ("services", "scenarios")
    ]
    assert strangers == []


def test_scenarios_of_the_system_reach_services_only_from_outside() -> None:
    strangers = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in python()
        if belongs(path, "scenarios")
        for name in imports(path)
        if name.split(".")[0] == "services" and name.split(".")[1] not in own_rooms(path)
    ]
    assert strangers == []


def own_rooms(path: Path) -> tuple[str, ...]:
    """The pure rules of a service are tested without a server, by that service's scenarios only."""
    return (path.relative_to(ROOT).parts[2], "shared") if belongs(path, "scenarios", "services") else ()


def test_port_numbers_stand_in_one_place() -> None:
    allowed = {ROOT / "harness" / "ports.py", *generated_paths()}
    number = re.compile(rf"(?<![\w.-])(?:{'|'.join(str(port.default) for port in PORTS)})(?![\w-])")
    places = [
        f"{path.relative_to(ROOT)}:{position}: {line.strip()}"
        for path in tracked(".py", ".ts", ".json", ".yaml", ".yml", ".toml", ".html", ".md", ".example", ".js")
        if not any(path == other or other in path.parents for other in allowed) and path.name != "package-lock.json"
        for position, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if number.search(line)
    ]
    assert places == []


def environment_readers(source: str) -> list[int]:
    """Lines that reach for the process' environment, by attribute or by import."""
    wanted = ("environ", "environb", "getenv", "getenvb")
    return [
        node.lineno
        for node in ast.walk(ast.parse(source))
        if (isinstance(node, ast.Attribute) and node.attr in wanted)
        or (isinstance(node, ast.ImportFrom) and node.module == "os" and {a.name for a in node.names} & {*wanted, "*"})
    ]


def test_no_service_reads_the_environment_itself() -> None:
    assert environment_readers("import os\nos.environ['A']") == [2]
    assert environment_readers("from os import environ") == [1]
    readers = [
        str(path.relative_to(ROOT))
        for path in python()
        if belongs(path, "services") and environment_readers(path.read_text(encoding="utf-8"))
    ]
    assert readers == ["services/shared/settings.py"]


def test_apps_are_built_without_any_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """In an empty environment. Not in a fresh interpreter: that an import reads no setting is the test above."""
    for name in tuple(os.environ):
        monkeypatch.delenv(name)
    built = {name: build(str(service.app)) for name, service in SERVICES.items()}
    assert all(callable(app) for app in built.values())


def test_nothing_that_routes_depend_on_needs_a_thread() -> None:
    """FastAPI calls a plain function in a thread, which takes longer than most of them do."""
    plain = [
        f"{path.relative_to(ROOT)}: {function.name}"
        for path in python()
        if belongs(path, "services", "api")
        for tree in [ast.parse(path.read_text(encoding="utf-8"))]
        for depended in [set(_depended_on(tree))]
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef) and function.name in depended
    ]
    assert plain == []


def _depended_on(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id="Depends"), args=[ast.Name(id=name)]):
                yield name


def test_no_module_has_outgrown_its_subject() -> None:
    long = {
        str(path.relative_to(ROOT)): lines
        for path in tracked(".py", ".ts")
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > LONGEST_MODULE
    }
    assert long == {}


def test_no_two_modules_of_tests_have_one_name() -> None:
    """pytest imports them by their name alone: the second of a name is not collected."""
    names = Counter(path.name for path in python() if belongs(path, "scenarios") and path.name.startswith("test_"))
    assert names
    assert [name for name, many in names.items() if many > 1] == []


def test_nothing_committed_names_a_package_registry() -> None:
    hosts = re.compile(
        r"py" + r"pi\.org|python" + r"hosted\.org|registry\.npm" + r"js|npm" + r"js\.com|deb\.deb" + r"ian\.org"
    )
    places = [
        f"{path.relative_to(ROOT)}"
        for path in tracked(".py", ".ts", ".json", ".yaml", ".yml", ".toml", ".html", ".md", ".lock", ".txt", ".cfg")
        if hosts.search(path.read_text(encoding="utf-8"))
    ]
    assert places == []


@pytest.mark.parametrize("workspace", [bundle.WORKSPACE, modules.ORACLES], ids=lambda workspace: str(workspace.name))
def test_the_npm_lock_has_integrity_and_no_addresses(workspace: Path) -> None:
    lock = (workspace / "package-lock.json").read_text(encoding="utf-8")
    assert '"integrity"' in lock
    assert '"resolved"' not in lock


def test_the_python_lock_pins_every_package_by_hash() -> None:
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    requirements = [line for line in lock.splitlines() if line and not line.startswith((" ", "#"))]
    assert requirements
    assert [line for line in requirements if not line.endswith("\\") or "==" not in line] == []
    assert "index-url" not in lock
