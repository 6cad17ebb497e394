"""The options of the verbs are a contract, so a change shows here; wrong ones are refused before anything happens."""

from __future__ import annotations

import re

import pytest

from harness import cli

OPTIONS = {
    "up": "--backend --detach --json --only --port --port-offset --ports --seed --timings --watch --world",
    "down": "--json",
    "status": "--json --timings",
    "restart": "--json",
    "logs": "--follow --tail",
    "ports": "--check --free --json",
    "doctor": "--json",
    "bench": "--cold-runs --json --peer --runs --tests",
    "probe": "--as --client-id --json --other-client-id --peers --redirect-uri --resource --scope --write",
    "serve": "--address --seed --world",
    "generate": "--check --json",
    "mcp": "--as --json --organization",
}


@pytest.mark.parametrize("verb", OPTIONS)
def test_help_names_every_option_and_says_what_the_verb_is_for(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main([verb, "--help"])
    told = capsys.readouterr().out
    options = re.findall(r"^  (--[a-z-]+)", told, re.MULTILINE)
    assert (ended.value.code, sorted(options)) == (0, OPTIONS[verb].split())
    assert f"``{verb}" in told


@pytest.mark.parametrize(
    "arguments",
    [
        ("logs", "nonsense"),
        ("logs", "--tail", "-1"),
        ("logs", "--tail", "ten"),
        ("logs", "--tail", "٣"),
        ("ports", "--check", "--free"),
        ("ports", "idp"),
        ("doctor", "--fix"),
        ("serve",),
        ("serve", "nonsense"),
        ("serve", "idp", "--seed", "one"),
        ("status", "idp"),
        ("generate", "everything"),
    ],
    ids=" ".join,
)
def test_wrong_arguments_are_refused_with_the_usage(
    arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(arguments)
    told = capsys.readouterr()
    assert (ended.value.code, told.out) == (2, "")
    assert told.err.startswith("usage: python -m harness ")
    assert "error: " in told.err


def test_an_address_that_is_nowhere_is_refused(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PORT_OFFSET", "12000")
    assert cli.main(["serve", "idp", "--address", "203.0.113.7"]) == 2
    assert "idp cannot listen on 203.0.113.7:" in capsys.readouterr().err
