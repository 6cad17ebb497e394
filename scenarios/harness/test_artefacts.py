"""What is rendered from the port map and the services agrees with them, and is what its readers understand."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness import artefacts, containers
from harness.ports import OFFSET, PORTS, Port
from harness.topology import ROOT, SERVICES

TOP = {"name", "services", "volumes", "x-service"}
PARTS = {"image", "pull_policy", "build", "command", "init", "ports", "network_mode", "volumes", "restart"}
PARTS |= {"environment", "depends_on", "healthcheck"}


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    told: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
    return told


def test_committed_copies_are_what_would_be_rendered_now() -> None:
    rendered = {path: render() for path, render in artefacts.configurations().items()}
    assert {path.name for path in rendered} == {".env.example", "Procfile", "compose.yaml"}
    assert {path.name: path.read_text(encoding="utf-8") for path in rendered} == {
        path.name: text for path, text in rendered.items()
    }


def test_a_changed_port_shows_in_every_copy_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(artefacts, "PORTS", (Port("idp", "IDP_PORT", 12345), *PORTS[1:]))
    changed = {path.name for path, render in artefacts.configurations().items() if render() != path.read_text("utf-8")}
    assert changed == {".env.example", "compose.yaml"}


def test_the_example_of_a_dotenv_lists_every_setting_that_is_read_from_one() -> None:
    told = dict(re.findall(r"^#(\w+)=(.*)$", (ROOT / ".env.example").read_text("utf-8"), re.MULTILINE))
    settings = {name for service in SERVICES.values() for name in service.inherited}
    assert told.keys() == {OFFSET, *(port.variable for port in PORTS)} | settings
    assert (told["CODE_SECONDS"], told["IDP_PUBLIC_ISSUER"], told["IDP_REGISTRY"]) == ("60", "false", "")


def test_each_service_has_a_container_that_serves_it_and_waits_for_what_it_needs(compose: dict[str, Any]) -> None:
    told = dict(compose["services"])
    network = told.pop(containers.NETWORK)
    assert list(told) == list(SERVICES)
    for name, container in told.items():
        assert container["command"][:-1] == ["python", "-m", "harness", "serve", name, "--address"]
        assert list(container["depends_on"]) == [containers.NETWORK, *SERVICES[name].needs]
        assert container["network_mode"] == f"service:{containers.NETWORK}"
        assert SERVICES[name].health in container["healthcheck"]["test"][-1]
    assert len(network["ports"]) == len(PORTS)
    assert all(published.startswith("127.0.0.1:") for published in network["ports"]), "never to strangers"


def test_only_what_the_compose_specification_knows_is_used(compose: dict[str, Any]) -> None:
    """By structure: the specification's own schema, 74 kB, accepted the file when it was written."""
    assert set(compose) == TOP
    for container in compose["services"].values():
        assert set(container) <= PARTS
        assert all(set(waits) == {"condition"} for waits in container.get("depends_on", {}).values())
        assert set(container.get("healthcheck", {})) <= {"test", "interval", "start_period", "start_interval"}
    named = {volume.partition(":")[0] for volume in compose["x-service"]["volumes"]}
    assert named == set(compose["volumes"])


def test_a_snapshot_of_what_is_no_more_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept, gone = tmp_path / "tools" / "kept.json", tmp_path / "tools" / "gone.json"
    for path in (kept, gone):
        path.parent.mkdir(exist_ok=True)
        path.write_text("{}", encoding="utf-8")
    monkeypatch.setattr(artefacts, "snapshots", lambda: {tmp_path: {"tools/kept.json": "{}"}})
    assert artefacts.strays() == [gone]
