"""The REST API keeps its contract under Schemathesis, on the live system, signed in."""

from __future__ import annotations

import pytest

from harness import contract
from harness.contract import Login
from harness.stack import Stack

pytestmark = pytest.mark.xdist_group("contract")  # groups are begun first: a long one must not be the last of a run

SEED = 20261122


def test_schemathesis_finds_nothing(stack: Stack) -> None:
    outcome = contract.fuzz_rest(
        stack.url("api"),
        login=Login.at(stack, "olivia", peers=("alice", "grace")),
        seed=SEED,
        max_examples=10,
        quiet=True,
    )
    assert outcome.ok, outcome.output
    assert f"Seed: {SEED}" in outcome.output


@pytest.mark.parametrize("may_do_all", [True, False])
def test_a_run_whose_token_nobody_accepts_is_not_green(shared_stack: Stack, may_do_all: bool) -> None:
    """Without its warnings turned into failures Schemathesis would pass here, having tested nothing."""
    of_another_service = Login("alice", shared_stack.url("idp"), {"api": shared_stack.audience("ticketing")})
    outcome = contract.fuzz_rest(
        shared_stack.url("api"),
        login=of_another_service,
        may_do_all=may_do_all,
        seed=SEED,
        max_examples=1,
        operations=["getMe"],
        quiet=True,
    )
    assert not outcome.ok
    assert "401" in outcome.output


def test_who_may_do_little_meets_the_same_contract(stack: Stack) -> None:
    """A requester is refused much, and sees little: that is what the operations say."""
    outcome = contract.fuzz_rest(
        stack.url("api"),
        login=Login.at(stack, "rita", peers=("omar", "grace")),
        may_do_all=False,
        seed=SEED,
        max_examples=3,
        operations=[
            "listTickets",
            "createTicket",
            "updateTicket",
            "deleteTicket",
            "inviteMember",
            "getTeam",
            "getTicket",
        ],
        quiet=True,
    )
    assert outcome.ok, outcome.output
