"""The options of the verbs are a contract, so a change shows here; wrong ones are refused before anything happens."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NoReturn

import pytest

from harness import browser, bundle, cli, launch, modules
from harness.bench import idp
from harness.cli import bench

OPTIONS = {
    "up": "--backend --detach --json --only --port --port-offset --ports --seed --timings --watch --world",
    "down": "--json",
    "status": "--json --timings",
    "restart": "--json",
    "logs": "--follow --tail",
    "ports": "--check --free --json",
    "doctor": "--json",
    "test": "",
    "fuzz": "--as --coverage --max-examples --minutes --operation --seed --target",
    "record": "--as --overwrite --seed",
    "token": "--audience --json --organization --recipe --recipes --scope --simulation",
    "bench": "--json",
    "bench startup": "--cold-runs --json --runs --tests",
    "bench idp": "--json --peer --runs",
    "bench mcp": "--json --runs",
    "bench api": "--json --runs",
    "probe": "--as --client-id --json --other-client-id --peers --redirect-uri --resource --scope --write",
    "serve": "--address --seed --world",
    "generate": "--check --json",
    "mcp": "--as --json --organization",
    "lint": "",
}
REFUSED = {
    "logs nonsense": "invalid choice: 'nonsense'",
    "logs --tail -1": "neither a whole number",
    "logs --tail ten": "neither a whole number",
    "logs --tail ٣": "neither a whole number",
    "logs --tail 1 --tail 2": "--tail is given twice",
    "ports --check --free": "not allowed with argument --check",
    "ports idp": "unrecognized arguments: idp",
    "doctor --fix": "unrecognized arguments: --fix",
    "serve": "required: service",
    "serve nonsense": "invalid choice: 'nonsense'",
    "serve idp --seed one": "invalid int value: 'one'",
    "serve idp --address=": "names nothing",
    "status idp": "unrecognized arguments: idp",
    "generate everything": "unrecognized arguments: everything",
    "restart": "required: service",
    "up --world=": "names nothing",
    "up --port-offset=": "names nothing",
    "up --seed 1 --seed 2": "--seed is given twice",
    "token --scope= alice": "names nothing",
    "token --organization= alice": "names nothing",
    "token --recipe= alice": "names nothing",
    "token alice --audience idp": "invalid choice: 'idp'",
    "mcp --as=": "names nothing",
    "record": "required: NAME",
    "record x --as=": "names nothing",
    "fuzz nonsense": "invalid choice: 'nonsense'",
    "fuzz rest --as=": "names nothing",
    "fuzz rest --as olivia,,alice": "names nothing",
    "fuzz rest --operation=": "names nothing",
    "fuzz rest --target=": "names nothing",
    "fuzz rest --max-examples 0": "'0' is not a whole number from 1 to 1000000",
    "fuzz rest --seed -1": "'-1' is not a whole number from 0 to 4294967295",
    "bench nonsense": "invalid choice: 'nonsense'",
    "bench --runs 3": "choose from",
    "bench startup --runs 0": "'0' is not a whole number",
    "bench startup --tests 19": "'19' is not a whole number from 20",
    "bench startup --peer nanoidp": "unrecognized arguments: --peer nanoidp",
    "bench idp --peer nonsense": "invalid choice: 'nonsense'",
    "bench idp --tests 30": "unrecognized arguments: --tests 30",
    "bench mcp --cold-runs 2": "unrecognized arguments: --cold-runs 2",
    "bench api --peer nanoidp": "unrecognized arguments: --peer nanoidp",
    "probe nonsense": "'nonsense' is not an issuer; name the URL of a provider that runs",
    "probe http://": "'http://' is not an issuer",
    "lint everything": "unrecognized arguments: everything",
}
"""What somebody may type, and what is said of it above the way to the verb's help."""

DO_NOT_GO_TOGETHER = {
    "fuzz mcp --target http://localhost:1": ("fuzz mcp takes no --target", "leave out --target, or fuzz rest"),
    "fuzz mcp --minutes 1": ("fuzz mcp takes no --minutes", "leave out --minutes"),
    "fuzz mcp --coverage": ("fuzz mcp takes no --coverage", "leave out --coverage, or fuzz rest"),
    "fuzz mcp --as olivia,alice": ("signed in as one person", "name one of them"),
    "fuzz idp --as olivia --coverage": ("no --coverage and no --as", "leave out --coverage and --as"),
    "fuzz all --coverage": ("fuzz all takes no --coverage", "leave out --coverage"),
    "fuzz all --target http://localhost:1": ("fuzz all takes no --target", "leave out --target"),
    "fuzz all --as olivia": ("fuzz all takes no --as", "leave out --as"),
    "fuzz all --operation whoami": ("fuzz all takes no --operation", "leave out --operation"),
    "token": ("whose token?", "python -m harness token alice"),
    "token --simulation --recipe expired": ("given beside it: --recipe", "leave that out, or --simulation"),
    "token --simulation alice": ("given beside it: 'alice'", "leave that out"),
    "token --recipes --simulation": ("given beside it: --simulation", "leave that out, or --recipes"),
    "token --recipes --audience api": ("given beside it: --audience", "leave that out"),
    "mcp --organization globex": ("whose token?", "mcp --as nora"),
    "probe --client-id me": ("and none was named", "python -m harness probe URL --client-id …"),
    "probe --as alice": ("and none was named", "python -m harness probe URL --as …"),
    "probe http://localhost:1 --other-client-id me": ("needs a first client", "add --client-id"),
    "up --watch --detach": ("--watch needs the foreground", "leave --detach out"),
    "up --port idp=": ("is not SERVICE=NUMBER", "services: idp, "),
    "up --port idp=1 --port idp=2": ("--port sets idp twice", "leave one of them out"),
    "record ../x": ("'../x' cannot name a test", "use small letters"),
}


@pytest.fixture(autouse=True)
def untouched(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A machine on which nothing runs and nothing may be set up or started for what is only asked or mistyped."""

    def must_not(*_: object, **__: object) -> NoReturn:
        pytest.fail("something is set up or started")

    for module, name in (
        (bundle, "ensure"),
        (modules, "ensure"),
        (browser, "ensure"),
        (launch, "running"),
        (launch, "spawn"),
    ):
        monkeypatch.setattr(module, name, must_not)
    monkeypatch.setenv("HARNESS_HOME", str(tmp_path))


def refused(line: str, capsys: pytest.CaptureFixture[str]) -> str:
    """What is said to somebody who has typed that; it must be refused."""
    try:
        code: object = cli.main(line.split())
    except SystemExit as ended:  # by argparse
        code = ended.code
    told = capsys.readouterr()
    assert (code, told.out) == (2, "")
    return told.err


@pytest.mark.parametrize("verb", OPTIONS)
def test_help_names_every_option_and_says_what_the_verb_is_for(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    try:
        code: object = cli.main([*verb.split(), "--help"])
    except SystemExit as ended:  # by argparse
        code = ended.code
    told = capsys.readouterr().out
    options = re.findall(r"^  (--[a-z-]+)", told, re.MULTILINE)
    assert (code, sorted(options)) == (0, OPTIONS[verb].split())
    assert f"``{verb.rsplit(maxsplit=1)[-1]}" in told


def test_every_verb_is_here() -> None:
    assert {verb.split()[0] for verb in OPTIONS} == set(cli.VERBS)


def test_the_peers_of_the_help_are_those_that_can_be_measured() -> None:
    assert bench.COMPARABLE == idp.COMPARABLE


@pytest.mark.parametrize("line", REFUSED)
def test_wrong_arguments_are_refused_with_the_verbs_own_usage(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    told = refused(line, capsys)
    usage = re.match(r"usage: (python -m harness ([a-z ]+)) \[-h\]", told)
    assert usage is not None
    assert line.startswith(usage[2])
    assert REFUSED[line] in told
    assert told.endswith(f"  → all there is: {usage[1]} --help\n")


@pytest.mark.parametrize("line", DO_NOT_GO_TOGETHER)
def test_what_would_be_left_out_of_account_is_refused_with_what_to_do(
    line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    told = refused(line, capsys)
    said, todo = DO_NOT_GO_TOGETHER[line]
    assert told.startswith("error: ")
    assert said in told
    assert todo in told.partition("→ ")[2]


def test_an_address_that_is_nowhere_is_refused(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PORT_OFFSET", "12000")
    assert cli.main(["serve", "idp", "--address", "203.0.113.7"]) == 2
    assert "idp cannot listen on 203.0.113.7:" in capsys.readouterr().err
