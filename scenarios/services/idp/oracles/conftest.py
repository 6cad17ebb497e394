"""Libraries that other people wrote, as clients of the running identity provider."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import httpx
import pytest

from harness import modules, node

if TYPE_CHECKING:
    from harness.stack import Stack

ENDS_WITHIN_S = 60.0
NATIVE = "http://127.0.0.1/callback"
SCOPE = "openid profile email offline_access tickets:read"

Oracle = Callable[..., dict[str, Any]]


@pytest.fixture(scope="session")
def javascript() -> None:
    """The packages of the JavaScript oracles; there already unless the lock has changed."""
    modules.ensure(modules.ORACLES)


@pytest.fixture
def as_cli(shared_stack: Stack) -> dict[str, str]:
    """What the command line, a native client, asks for; ``alice`` signs in."""
    return {
        "issuer": shared_stack.url("idp"),
        "client_id": "cli",
        "redirect_uri": NATIVE,
        "scope": SCOPE,
        "resource": shared_stack.audience("api"),
        "username": "alice",
    }


@pytest.fixture
def as_ui(shared_stack: Stack) -> dict[str, str]:
    """What the web interface asks for."""
    return {
        "issuer": shared_stack.url("idp"),
        "client_id": "ui",
        "redirect_uri": f"{shared_stack.url('ui')}/auth/callback",
        "post_logout_redirect_uri": f"{shared_stack.url('ui')}/",
        "scope": SCOPE,
        "username": "alice",
    }


@pytest.fixture
def service(shared_stack: Stack) -> Iterator[dict[str, str]]:
    """A confidential client that acts for itself, and for whoever called it: it is the api to them."""
    control, api = shared_stack.control("idp"), shared_stack.audience("api")
    told = {"client_id": f"oracle-{uuid4().hex[:8]}", "secret": "a secret: + and %"}
    grants = ["client_credentials", "urn:ietf:params:oauth:grant-type:token-exchange"]
    resources = [shared_stack.audience("ticketing")]
    control.put_client(**told, grants=grants, resources=resources, exchanges=api)
    yield told
    control.drop_client(told["client_id"])


@pytest.fixture
def offers(shared_stack: Stack, nobody: httpx.Client) -> Callable[[str], None]:
    """Skips a test of something the provider does not say it has."""
    told = nobody.get(f"{shared_stack.url('idp')}/.well-known/openid-configuration").json()

    def needed(member: str) -> None:
        if member not in told:
            pytest.skip(f"the metadata have no {member}")

    return needed


def perform(script: str, task: str, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Run one task of an oracle; when it fails, the test fails with all that the library said."""
    done = subprocess.run(
        [str(node.NODE), script],
        cwd=modules.ORACLES, env=node.environment(), input=json.dumps({"task": task, **asked}),
        capture_output=True, text=True, timeout=ENDS_WITHIN_S, check=False,
    )  # fmt: skip
    if done.returncode:
        pytest.fail(f"{script} could not {task}:\n{done.stderr}", pytrace=False)
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer
