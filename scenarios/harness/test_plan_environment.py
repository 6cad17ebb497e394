"""What a service of ours is told, and what it is not: the environment of whoever starts it is not its business."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness import launch, project
from harness.plan import StackPlan, environment
from harness.topology import SERVICES

PLAN = StackPlan("a", "n", Path("/nowhere"), "base", 1, None, dict.fromkeys(SERVICES, 1))


def test_a_service_gets_of_its_callers_variables_those_it_names() -> None:
    caller = {"ACCESS_TOKEN_SECONDS": "5", "ASSISTANT_MODEL": "sim", "AWS_SECRET_ACCESS_KEY": "x", "TZ": "UTC"}
    idp, api = environment(PLAN, "idp", caller), environment(PLAN, "api", caller)
    assert (idp["ACCESS_TOKEN_SECONDS"], idp["TZ"]) == ("5", "UTC")
    assert api["ASSISTANT_MODEL"] == "sim"
    assert not idp.keys() & {"ASSISTANT_MODEL", "AWS_SECRET_ACCESS_KEY"}
    assert not api.keys() & {"ACCESS_TOKEN_SECONDS", "AWS_SECRET_ACCESS_KEY"}


def test_what_the_environment_says_beats_the_dotenv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_text("CODE_SECONDS=77\nACCESS_TOKEN_SECONDS=5\nUI_PORT=1\n", encoding="utf-8")
    monkeypatch.setattr(project, "folder", lambda: tmp_path)
    monkeypatch.setattr(project, "services", lambda: SERVICES)
    monkeypatch.setenv("ACCESS_TOKEN_SECONDS", "6")
    assert launch.settings() == {"CODE_SECONDS": "77"}


def test_each_secret_is_another_and_the_same_for_all_who_share_it() -> None:
    told = {name: environment(PLAN, name, {}) for name in SERVICES}
    assert told["idp"]["API_CLIENT_SECRET"] == told["api"]["API_CLIENT_SECRET"]
    assert told["idp"]["ORGANIZATIONS_CLIENT_SECRET"] == told["organizations"]["ORGANIZATIONS_CLIENT_SECRET"]
    names = ("API_CLIENT_SECRET", "ORGANIZATIONS_CLIENT_SECRET", "SIMULATION_SECRET")
    assert len({told["idp"][name] for name in names}) == len(names)
    assert "SIMULATION_SECRET" not in told["api"].keys() | told["ticketing"].keys()
