"""Identity providers of other people, to be measured beside ours: versions pinned here, installed when first wanted.

They stay out of the project's own lock: nothing needs them but a comparison. Each is configured as strictly as it can
be, with the clients of :mod:`harness.bench.registration` where it knows clients at all.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import psutil

from harness import bootstrap, bundle, ports, stamp
from harness.bench import program, registration
from harness.errors import HarnessError
from harness.topology import ROOT

FOLDER = ROOT / ".harness" / "peers"
SERVERS = Path(__file__).with_name("servers")
STARTS_IN_S, GRACE_S = 30.0, 2.0
NPM = {"oidc-provider": "9.13.3", "oauth2-mock-server": "9.3.0"}
PYPI = {"nanoidp": "3.4.0", "oidc-provider-mock": "0.4.8" if sys.version_info >= (3, 12) else "0.3.4"}
"""Of oidc-provider-mock 0.4 needs Python 3.12; the newest that runs here is taken."""


@dataclass(frozen=True)
class Running:
    """A provider that runs, as a process of its own."""

    name: str
    version: str
    issuer: str
    pid: int

    @property
    def process(self) -> psutil.Process:
        """What it costs can be asked here."""
        return psutil.Process(self.pid)


@dataclass(frozen=True)
class Peer:
    """Another provider: how to install it, and what runs it on a port (its command, and what its environment adds)."""

    name: str
    version: str
    install: Callable[[], None]
    command: Callable[[int, Path], tuple[Sequence[str | Path], Mapping[str, str]]]


@contextmanager
def started(peer: Peer) -> Iterator[Running]:
    """The peer on a free port of this machine until the block ends; installs it first where that has not been done.

    Raises:
        HarnessError: it could not be installed, or did not start; with the end of its log.
    """
    with bootstrap.exclusive("peers"):
        peer.install()
    folder = FOLDER / "run" / f"{peer.name}-{os.getpid()}"
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with closing(ports.reserve(0)) as reserved:
            reserved.lend()
            command, environment = peer.command(reserved.number, folder)
            issuer = f"http://localhost:{reserved.number}"
            log = folder / "log"
            with program.started(command, env=environment, cwd=folder, log=log, grace=GRACE_S) as process:
                metadata = f"{issuer}/.well-known/openid-configuration"
                program.await_answer(metadata, process, log, name=peer.name, within=STARTS_IN_S)
                yield Running(peer.name, peer.version, issuer, process.pid)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _install_npm() -> None:
    workspace = FOLDER / "npm"
    wanted = stamp.digest(json.dumps(NPM).encode().splitlines())
    if not stamp.fits(workspace, wanted):
        from harness import node  # noqa: PLC0415

        shutil.rmtree(workspace, ignore_errors=True)
        workspace.mkdir(parents=True)
        workspace.joinpath("package.json").write_text(json.dumps({"private": True, "dependencies": NPM}))
        shutil.copy(bundle.WORKSPACE / ".npmrc", workspace)
        with bootstrap.step(f"peers: {', '.join(f'{name} {version}' for name, version in NPM.items())} (npm)"):
            node.run([node.NPM, "install", "--prefer-offline"], cwd=workspace, what="npm install")
        stamp.put(workspace, wanted)
    for script in SERVERS.glob("*.mjs"):  # node looks for packages beside the script
        shutil.copy(script, workspace)


def _install_python(name: str) -> None:
    folder, requirement = FOLDER / name, f"{name}=={PYPI[name]}"
    wanted = stamp.digest([requirement.encode(), sys.version.encode()])
    if stamp.fits(folder, wanted):
        return
    with bootstrap.step(f"peers: {requirement} (uv)"):
        _uv("venv", "--clear", "--python", sys.executable, str(folder))
        _uv("pip", "install", "--python", str(folder / "bin" / "python"), "--compile-bytecode", requirement)
    stamp.put(folder, wanted)


def _uv(*arguments: str) -> None:
    done = subprocess.run(
        [str(bootstrap.UV), *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise HarnessError(f"uv {' '.join(arguments)} failed", evidence=done.stderr[-2000:])


def _of_node(name: str, port: int, folder: Path) -> tuple[Sequence[str | Path], Mapping[str, str]]:  # noqa: ARG001
    from harness import node  # noqa: PLC0415

    told = {"port": port, "issuer": f"http://localhost:{port}", **registration.for_node()}
    return [node.NODE, FOLDER / "npm" / f"{name}.mjs"], {"PEER": json.dumps(told), "NODE_ENV": "production"}


def _nanoidp(port: int, folder: Path) -> tuple[Sequence[str | Path], Mapping[str, str]]:
    for name, text in registration.for_nanoidp(f"http://localhost:{port}").items():
        folder.joinpath(name).write_text(text, encoding="utf-8")
    program = FOLDER / "nanoidp" / "bin" / "nanoidp"
    return [program, "--config", folder, "--port", str(port), "--profile", "oauth21"], {}


def _oidc_provider_mock(port: int, folder: Path) -> tuple[Sequence[str | Path], Mapping[str, str]]:  # noqa: ARG001
    program = FOLDER / "oidc-provider-mock" / "bin" / "oidc-provider-mock"
    return [program, "--port", str(port), "--require-registration", "true", "--user", registration.USER], {}


PEERS: Mapping[str, Peer] = {
    peer.name: peer
    for peer in (
        Peer("nanoidp", PYPI["nanoidp"], partial(_install_python, "nanoidp"), _nanoidp),
        Peer(
            "oidc-provider-mock",
            PYPI["oidc-provider-mock"],
            partial(_install_python, "oidc-provider-mock"),
            _oidc_provider_mock,
        ),
        Peer("oauth2-mock-server", NPM["oauth2-mock-server"], _install_npm, partial(_of_node, "oauth2-mock-server")),
        Peer("oidc-provider", NPM["oidc-provider"], _install_npm, partial(_of_node, "oidc-provider")),
    )
}
