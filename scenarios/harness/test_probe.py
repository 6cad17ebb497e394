"""The strictness probe finds what it looks for, fills in other people's forms, and its published table is current."""

from __future__ import annotations

import json
import re

import pytest

from harness import __version__, cli
from harness.bench import strictness
from harness.strictness.checks import CHECKS
from harness.strictness.pages import sign_in_form
from harness.strictness.probe import Application
from scenarios.harness import sloppy


def test_a_provider_that_puts_up_with_everything_is_found_out_by_every_check() -> None:
    with sloppy.running() as issuer:
        application = Application(
            issuer,
            "anybody",
            "http://127.0.0.1/callback",
            other_client_id="somebody-else",
            resource="https://tickets.example/",
        )
        verdicts = strictness.examine(application)
    missed = {name: verdict for name, verdict in verdicts.items() if verdict.finding != "loose"}
    assert missed.keys() == sloppy.STRICT_ALL_THE_SAME, missed


def test_a_probe_of_a_loose_provider_fails_and_shows_what_was_seen(capsys: pytest.CaptureFixture[str]) -> None:
    with sloppy.running() as issuer:
        code = cli.main(["probe", issuer, "--client-id", "anybody", "--json"])
    (provider,) = json.loads(capsys.readouterr().out)["providers"]
    assert (code, provider["name"]) == (1, issuer)
    assert provider["verdicts"]["challenge"] == {
        "finding": "loose",
        "evidence": "200, WWW-Authenticate: none",
    }


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("http://localhost:1",), "has no metadata of a provider"),
        (
            ("http://localhost:1",),
            "→ is the provider running, and is http://localhost:1 what it calls itself (issuer)?",
        ),
        (("http://localhost:1", "--peers"), "leave out the URL"),
        (("--write",), "add --peers"),
    ],
)
def test_what_cannot_be_probed_is_told(
    arguments: tuple[str, ...], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["probe", *arguments]) == 2
    assert told in capsys.readouterr().err


@pytest.mark.parametrize(
    ("page", "sent"),
    [
        (
            (
                '<form method="post"><input type="hidden" name="i" value="7">'
                '<button name="who" value="bob">Bob</button><button name="who" value="alice">Alice</button></form>'
            ),
            {"i": "7", "who": "alice"},
        ),
        (
            (
                '<form method="post"><input name="login"><input type="password" name="password">'
                '<input type="checkbox" name="remember"><input type="checkbox" name="agree" value="yes" checked></form>'
            ),
            {"login": "alice", "password": "alice", "agree": "yes"},
        ),
        (
            (
                '<form method="post"><button name="action" value="deny">No</button>'
                '<button name="action" value="allow">Yes</button></form>'
            ),
            {"action": "allow"},
        ),
        (
            (
                '<form method="get"><input name="q"></form><form method="post"><button>Language</button></form>'
                '<form method="post"><input type="email" name="sub"></form>'
            ),
            {"sub": "alice"},
        ),
    ],
    ids=["people", "password", "consent", "several forms"],
)
def test_it_signs_in_on_pages_it_has_never_seen(page: str, sent: dict[str, str]) -> None:
    form = sign_in_form(page, "alice")
    assert form is not None
    assert form.filled("alice") == sent


def test_the_published_table_has_every_check_and_ours_keeps_them_all() -> None:
    """Other columns need the other providers: ``probe --peers --write`` renders it anew."""
    rows = [
        re.split(r" \| ", line.strip("| "))
        for line in strictness.DOCUMENT.read_text(encoding="utf-8").splitlines()
        if line.startswith("| ")
    ]
    title, _, *body, kept = rows
    assert title[2] == f"Dress Rehearsal {__version__}"
    assert [(row[0], row[1]) for row in body] == [(check.promise, check.source) for check in CHECKS.values()]
    assert {row[2] for row in body} <= {"✓", "–"}
    assert kept[0] == "**kept**"
