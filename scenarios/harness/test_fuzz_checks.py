"""Every check of Schemathesis is on in ``fuzz rest``, and finds what it looks for."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
import schemathesis.checks
import schemathesis.specs.openapi.checks
from schemathesis.config import SchemathesisConfig

from harness import contract
from harness.contract import Login, Outcome
from scenarios.harness.careless import FLAWS, Careless
from scenarios.harness.test_fuzz import answering

if TYPE_CHECKING:
    from harness.stack import Stack


@pytest.fixture(scope="module")
def found(shared_stack: Stack) -> Outcome:
    """What a run against the careless API prints."""
    login = Login.at(shared_stack, "alice", peers=("grace",))
    with answering(Careless().app()) as url:
        return contract.fuzz_rest(url, login=login, may_do_all=False, seed=1, max_examples=10, quiet=True)


def test_no_check_is_off() -> None:
    configured = SchemathesisConfig.from_path(contract.CONFIGURATION).projects.get_default().checks
    names = set(schemathesis.checks.CHECKS.get_all_names())
    assert {name for name in names if not configured.get_by_name(name=name).enabled} == set()
    assert names == set(FLAWS.values())
    assert configured.max_response_time.enabled


@pytest.mark.parametrize(("code", "check"), FLAWS.items(), ids=FLAWS.values())
def test_a_flaw_is_found_by_the_check_for_it(found: Outcome, code: str, check: str) -> None:
    assert not found.ok
    assert re.search(rf"^  ❌ {code} ", found.output, re.MULTILINE), (check, found.output)


def test_what_is_given_to_another_organization_is_found_whoever_made_it(found: Outcome) -> None:
    assert re.search(r"grace of another organization is given /notes/\d+: ", found.output), found.output
