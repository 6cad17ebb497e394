"""The running provider under the strictness probe, which knows nothing but its URL and its clients."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from harness.strictness import extensions
from harness.strictness.checks import CHECKS
from harness.strictness.probe import Application, Probe
from harness.strictness.verdict import Check
from scenarios.services.idp.oracles.conftest import NATIVE, SCOPE

if TYPE_CHECKING:
    from harness.stack import Stack

EXTENSIONS = {check.name for check in extensions.CHECKS}
"""What a provider may do without; some of it is not for browsers, so the command line asks."""


@pytest.fixture(scope="module")
def browser_client(shared_stack: Stack) -> Iterator[Probe]:
    """The web interface."""
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


@pytest.fixture(scope="module")
def native_client(browser_client: Probe) -> Iterator[Probe]:
    """The command line."""
    application = replace(
        browser_client.application,
        client_id="cli",
        redirect_uri=NATIVE,
        other_client_id="ui",
        post_logout_redirect_uri=None,
    )
    with closing(Probe(application)) as probing:
        yield probing


@pytest.mark.parametrize("name", [name for name in CHECKS if name not in EXTENSIONS])
def test_it_keeps_the_promise(browser_client: Probe, name: str) -> None:
    kept(CHECKS[name], browser_client)


@pytest.mark.parametrize("name", sorted(EXTENSIONS))
def test_it_keeps_the_promise_of_what_it_offers(native_client: Probe, name: str) -> None:
    kept(CHECKS[name], native_client)


def kept(check: Check, probe: Probe) -> None:
    verdict = check.run(probe)
    if verdict.finding == "absent" and check.name in EXTENSIONS:
        pytest.skip(verdict.evidence)
    assert verdict.finding == "strict", f"{check.promise} ({check.source}) {verdict.evidence}"
