"""The running provider under the strictness probe, which knows nothing but its URL and its clients."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from harness.strictness import extensions
from harness.strictness.checks import CHECKS
from harness.strictness.probe import Application, Probe
from scenarios.services.idp.oracles.conftest import SCOPE

if TYPE_CHECKING:
    from harness.stack import Stack

OPTIONAL = {"introspection", *(check.name for check in extensions.CHECKS)}
"""What a provider may do without."""


@pytest.fixture(scope="module")
def probe(shared_stack: Stack) -> Iterator[Probe]:
    ui = shared_stack.url("ui")
    application = Application(
        shared_stack.url("idp"),
        "ui",
        f"{ui}/auth/callback",
        other_client_id="cli",
        post_logout_redirect_uri=f"{ui}/",
        resource=shared_stack.audience("api"),
        scope=SCOPE,
    )
    with closing(Probe(application)) as probing:
        yield probing


@pytest.mark.parametrize("name", CHECKS)
def test_it_keeps_the_promise(probe: Probe, name: str) -> None:
    verdict = CHECKS[name].run(probe)
    if verdict.finding == "absent" and name in OPTIONAL:
        pytest.skip(verdict.evidence)
    assert verdict.finding == "strict", f"{CHECKS[name].promise} ({CHECKS[name].source}) {verdict.evidence}"
