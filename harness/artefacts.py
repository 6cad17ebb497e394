"""What is generated from the one source of truth, and whether the committed copies still agree with it."""

from __future__ import annotations

import importlib
import json
import re
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.containers import compose
from harness.errors import HarnessError
from harness.ports import OFFSET, PORTS
from harness.topology import ROOT, SERVICES, Service

README = ROOT / "README.md"
OPENAPI = ROOT / "ui" / "openapi.json"
CLIENT = ROOT / "ui" / "src" / "app" / "api"
ENVIRONMENTS = ROOT / "ui" / "src" / "environments"
TABLE = re.compile(r"(<!-- ports -->\n).*?(<!-- /ports -->)", re.DOTALL)
PRETTIER_WIDTH = 100
GENERATOR = Path("node_modules/ng-openapi-gen/lib/index.js")


@dataclass(frozen=True)
class Drift:
    """A committed file that is not what would be generated now."""

    path: Path
    what: str


def generated_paths() -> list[Path]:
    """Files and folders that are generated, wholly or (README) in part."""
    return [
        *configurations(),
        *documents(),
        *(ENVIRONMENTS / name for name in _environments()),
        *snapshots(),
        OPENAPI,
        CLIENT,
        README,
    ]


def generate() -> list[Path]:
    """Write whatever has drifted; returns the files that changed."""
    changed = []
    for path, text in _texts().items():
        if _read(path) != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            changed.append(path)
    for path in strays():
        path.unlink()
        changed.append(path)
    return changed + _client(write=True)


def check() -> list[Drift]:
    """Compare every committed copy with what would be generated; empty when all agree."""
    drifted = [
        Drift(path, "missing" if _read(path) is None else "out of date")
        for path, text in _texts().items()
        if _read(path) != text
    ]
    drifted += [Drift(path, "about what is no more") for path in strays()]
    return drifted + [Drift(path, "out of date") for path in _client(write=False)]


def _texts() -> dict[Path, str]:
    texts = {OPENAPI: _openapi(), README: _readme()} | {path: render() for path, render in configurations().items()}
    texts |= {path: _load(place)() for path, place in documents().items()}
    texts |= {folder / name: text for folder, files in snapshots().items() for name, text in files.items()}
    return texts | {ENVIRONMENTS / name: text for name, text in _environments().items()}


def documents() -> Mapping[Path, str]:
    """The pages that services render of themselves, and by which function."""
    return {ROOT / path: place for each in SERVICES.values() for path, place in each.documents.items()}


def snapshots() -> Mapping[Path, Mapping[str, str]]:
    """The folders of what services say of themselves, with the text of each file."""
    told = [(each.snapshots, each.app) for each in SERVICES.values()]
    return {ROOT / kept[0]: _load(kept[1])(_load(str(app))()) for kept, app in told if kept is not None}


def strays() -> list[Path]:
    """Snapshots of what no service has any more."""
    return [
        path
        for folder, files in snapshots().items()
        for path in sorted(_files(folder))
        if str(path.relative_to(folder)) not in files
    ]


def configurations() -> Mapping[Path, Callable[[], str]]:
    """The files that are rendered from the port map and the services as data, and how."""
    return {
        ROOT / ".env.example": _env_example,
        ROOT / "Procfile": _procfile,
        ROOT / "compose.yaml": lambda: compose(SERVICES, PORTS),
    }


def _read(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.is_file() else None


def _default_urls() -> dict[str, str]:
    return {port.service: f"http://localhost:{port.default}" for port in PORTS}


def _env_example() -> str:
    lines = [
        "# Copy to .env and change what you need.",
        "# A flag beats the environment, which beats .env, which beats the default.",
        f"# {OFFSET} shifts every port that is not set by its own name.",
        f"#{OFFSET}=0",
        *(f"#{port.variable}={port.default}" for port in PORTS),
        "",
        "# Settings of services, for `up` and `serve`; systems of pytest, fuzz, bench and record are told such things",
        "# by the environment alone. Nothing else is read from this file.",
        *(line for service in SERVICES.values() if service.inherited for line in _service_settings(service)),
    ]
    return "\n".join(lines) + "\n"


def _service_settings(service: Service) -> Iterator[str]:
    """Those that somebody else may set, with their defaults; what each means stands where they are read."""
    place = f"{str(service.app).rpartition('.')[0]}.settings"
    known = [each for each in vars(importlib.import_module(place)).values() if getattr(each, "__module__", "") == place]
    fields = {name: field for each in known for name, field in getattr(each, "model_fields", {}).items()}
    yield f"# {service.title}; each is described in {place.replace('.', '/')}.py"
    for variable in service.inherited:
        default = fields[variable.lower()].default
        yield f"#{variable}={'' if default is None else json.dumps(default).strip(chr(34))}"


def _procfile() -> str:
    return "".join(f"{name}: python3 -m harness serve {name}\n" for name in SERVICES)


def _readme() -> str:
    urls = _default_urls()
    rows = ["| service | what it is | default | variable |", "|---|---|---|---|"]
    rows += [
        f"| {port.service} | {SERVICES[port.service].title} | {urls[port.service]} | `{port.variable}` |"
        for port in PORTS
    ]
    table = "".join(f"{row}\n" for row in rows)
    text, found = TABLE.subn(lambda match: f"{match[1]}{table}{match[2]}", _read(README) or "")
    if not found:
        todo = "put <!-- ports --> and <!-- /ports --> where it belongs"
        raise HarnessError("README.md has no place for the port table", todo=todo)
    return text


def write_local_environment(*, issuer: str, api_url: str) -> Path:
    """Tell a development server where its services are, by the file that the Angular configuration ``live`` takes."""
    path = ENVIRONMENTS / "environment.local.ts"
    configuration = _configuration(issuer=issuer, api_url=api_url)
    path.write_text(_environment(configuration, production=False, config_url=None), encoding="utf-8")
    return path


def _configuration(*, issuer: str, api_url: str) -> Mapping[str, str]:
    (configure,) = (_load(each.browser_configuration) for each in SERVICES.values() if each.browser_configuration)
    configuration: Mapping[str, str] = configure(issuer=issuer, api_url=api_url)
    return configuration


def _environments() -> Mapping[str, str]:
    urls = _default_urls()
    configuration = _configuration(issuer=urls["idp"], api_url=urls["api"])
    return {
        "environment.ts": _environment(configuration, production=False, config_url=None),
        "environment.prod.ts": _environment(configuration, production=True, config_url="config.json"),
    }


def _environment(configuration: Mapping[str, str], *, production: bool, config_url: str | None) -> str:
    defaults = "\n".join(_member(name, value) for name, value in configuration.items())
    return (
        "// Rendered from the port map by `python -m harness generate`. Do not edit.\n"
        "import type { Environment } from '../app/core/config/runtime-config';\n\n"
        "export const environment: Environment = {\n"
        f"  production: {json.dumps(production)},\n"
        f"  configUrl: {json.dumps(config_url) if config_url is None else repr(config_url)},\n"
        f"  defaults: {{\n{defaults}\n  }},\n"
        "};\n"
    )


def _member(name: str, value: str) -> str:
    line = f"    {name}: {value!r},"
    # The line break of prettier, so that the generated file passes the formatter's check.
    return line if len(line) <= PRETTIER_WIDTH else f"    {name}:\n      {value!r},"


def _openapi() -> str:
    document = _load(str(SERVICES["api"].app))().openapi()
    return json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def _load(name: str) -> Callable[..., Any]:
    module, _, attribute = name.partition(":")
    loaded: Callable[..., Any] = getattr(importlib.import_module(module), attribute)
    return loaded


def _client(*, write: bool) -> list[Path]:
    """Generate the typed client from the OpenAPI document that the api describes now; returns the files that differ."""
    from harness import bundle, modules, node  # noqa: PLC0415  # looks for the node wheel; other artefacts do not

    modules.ensure(bundle.WORKSPACE)
    with tempfile.TemporaryDirectory(dir=bundle.WORKSPACE, prefix=".generated-") as folder:
        document, output = Path(folder, "openapi.json"), Path(folder, "api")
        document.write_text(_openapi(), encoding="utf-8")
        arguments: list[str | Path] = ["--config", "ng-openapi-gen.json", "--input", document, "--output", output]
        node.run([GENERATOR, *arguments], cwd=bundle.WORKSPACE, what="ng-openapi-gen")
        differing = _differences(output, CLIENT)
        if write and differing:
            shutil.rmtree(CLIENT, ignore_errors=True)
            shutil.copytree(output, CLIENT)
    return differing


def _differences(fresh: Path, committed: Path) -> list[Path]:
    names = {path.relative_to(folder) for folder in (fresh, committed) for path in _files(folder)}
    return sorted(committed / name for name in names if _read(fresh / name) != _read(committed / name))


def _files(folder: Path) -> Iterable[Path]:
    return (path for path in folder.rglob("*") if path.is_file())
