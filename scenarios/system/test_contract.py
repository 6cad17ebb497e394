"""The REST API keeps its contract under Schemathesis, on the live system, signed in."""

from __future__ import annotations

import json

import pytest

from harness import contract, fuzzer_login
from harness.stack import Stack

SEED = 20261122


def test_schemathesis_finds_nothing(stack: Stack) -> None:
    outcome = contract.fuzz_rest(stack, seed=SEED, max_examples=10, quiet=True)
    assert outcome.ok, outcome.output
    assert f"Seed: {SEED}" in outcome.output


def test_a_run_whose_token_nobody_accepts_is_not_green(shared_stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without its warnings turned into failures Schemathesis would pass here, having tested nothing."""
    monkeypatch.setattr(fuzzer_login, "told", told_for_another_audience)
    outcome = contract.fuzz_rest(shared_stack, seed=SEED, max_examples=1, operations=["getMe"], quiet=True)
    assert not outcome.ok
    assert "401" in outcome.output


def told_for_another_audience(stack: Stack, username: str) -> str:
    audiences = {"api": stack.audience("ticketing")}
    return json.dumps({"username": username, "issuer": stack.url("idp"), "audiences": audiences})
