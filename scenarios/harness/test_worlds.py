"""Which world a system begins with: one that comes with it, or a file of one's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness import cli, launch, worlds
from harness.errors import HarnessError
from harness.person import SignInError
from harness.topology import WORLDS
from scenarios.harness.inner import QUICK, Inner

OTHER = """
extends: small
organizations:
  - slug: globex
    people: [{{username: {username}, name: Somebody Else, role: agent}}]
    tickets: []
    tickets_in_all: {tickets}
"""


def test_a_world_is_known_by_its_name_or_by_its_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert [worlds.chosen(name) for name in ("small", "base", "large")] == ["small", "base", "large"]
    assert {path.stem for path in WORLDS.glob("*.yaml")} == {"small", "base", "large"}
    (tmp_path / "mine.yaml").write_text("extends: small", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert worlds.chosen("mine.yaml") == str(tmp_path.resolve() / "mine.yaml")


@pytest.mark.parametrize(
    ("name", "told"),
    [
        (
            "atlantis",
            "there is no world named 'atlantis'\n  → the worlds are base, large, small, and any file PATH.yaml",
        ),
        ("../base", "there is no world named '../base'"),
        ("", "there is no world named ''"),
        ("atlantis.yaml", "there is no world in 'atlantis.yaml'"),
    ],
)
def test_an_unknown_world_is_refused_before_anything_starts(
    name: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HARNESS_HOME", str(tmp_path / "home"))
    with pytest.raises(HarnessError) as refused, launch.running(world=name, only=("idp",)):
        pass
    assert str(refused.value).startswith(told)
    assert not (tmp_path / "home").exists()


def test_a_file_that_is_no_world_is_refused_before_anything_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("extends: base\norganizations: [{slug: acme, tickets_in_all: many}]", encoding="utf-8")
    monkeypatch.setenv("HARNESS_HOME", str(tmp_path / "home"))
    told = f"the world in mine.yaml is not in order\n  {path}: organizations: 'acme': tickets_in_all: Input should be"
    with pytest.raises(HarnessError) as refused, launch.running(world=str(path), only=("idp",)):
        pass
    assert str(refused.value).startswith(told)
    for command in (["up"], ["serve", "idp"]):
        assert cli.main([*command, "--world", str(path)]) == 2
        assert told in capsys.readouterr().err
    assert not (tmp_path / "home").exists()
    run = Inner(tmp_path, "def test_nothing(stack): ...").run(*QUICK, "--world", str(path))
    assert (run.returncode, told in run.stderr) == (pytest.ExitCode.USAGE_ERROR, True)


def test_a_run_of_pytest_with_an_unknown_world_does_not_begin(tmp_path: Path) -> None:
    inner = Inner(tmp_path, "def test_nothing(stack): ...")
    run = inner.run(*QUICK, "--world", "atlantis")
    assert run.returncode == pytest.ExitCode.USAGE_ERROR
    assert "there is no world named 'atlantis'" in run.stderr
    assert not inner.home.exists()


def test_a_system_begins_with_the_world_of_a_file_and_two_files_of_one_name_are_two_worlds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The databases of the second would be copies of the first one's if their name were all that counted."""
    monkeypatch.setenv("HARNESS_HOME", str(tmp_path / "home"))
    totals = {}
    with launch.supervised("worlds", backend="zygote", services=("idp", "ticketing")) as control:
        for username, tickets in {"hugo": 3, "hedwig": 5}.items():
            path = tmp_path / username / "other.yaml"
            path.parent.mkdir()
            path.write_text(OTHER.format(username=username, tickets=tickets), encoding="utf-8")
            choices = launch.choose("random")
            with launch.stack_of(
                control, name=username, choices=choices, only=("ticketing",), world=str(path)
            ) as stack:
                person = stack.sign_in(username)
                totals[username] = person.call_tool("ticketing", "search_tickets")["total"]
                with pytest.raises(SignInError):
                    stack.sign_in("grace").token("ticketing")
    assert totals == {"hugo": 3, "hedwig": 5}
