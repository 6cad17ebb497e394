"""Proof Key for Code Exchange: RFC 7636, and RFC 9700 §2.1.1 which leaves no choice."""

from __future__ import annotations

import pytest

from scenarios.services.idp.conftest import VERIFIER, Client, refused, s256, told


@pytest.mark.parametrize(
    "changes",
    [
        {"code_challenge": None, "code_challenge_method": None},
        {"code_challenge": None},
        {"code_challenge_method": None},
        {"code_challenge_method": "plain", "code_challenge": VERIFIER},
        {"code_challenge_method": "s256"},
        {"code_challenge_method": "S512"},
        {"code_challenge": "too-short"},
        {"code_challenge": s256(VERIFIER) + "="},
        {"code_challenge": s256(VERIFIER)[:-1] + "+"},
    ],
    ids=lambda changes: ",".join(f"{name}={value}" for name, value in changes.items()),
)
@pytest.mark.parametrize("client", ["cli", "ui"])
def test_no_client_gets_a_code_without_an_s256_challenge(
    idp: Client, client: str, changes: dict[str, str | None]
) -> None:
    asked = idp.asked(**changes) if client == "cli" else idp.as_ui(**changes)
    assert told(idp.authorize(asked))["error"] == "invalid_request"


def test_the_verifier_must_be_shown(idp: Client) -> None:
    code = idp.sign_in()["code"]
    assert refused(idp.redeem(code, code_verifier=None), 400, "invalid_request") == "code_verifier is missing"


@pytest.mark.parametrize(
    "verifier",
    [VERIFIER[:-1] + ("A" if VERIFIER[-1] != "A" else "B"), s256(VERIFIER), "short", VERIFIER + "!", "é" * 64],
    ids=["another", "the challenge itself", "short", "foreign character", "not ASCII"],
)
def test_a_wrong_verifier_gets_nothing_and_costs_the_code(idp: Client, verifier: str) -> None:
    code = idp.sign_in()["code"]
    refused(idp.redeem(code, code_verifier=verifier), 400, "invalid_grant")
    refused(idp.redeem(code), 400, "invalid_grant")
