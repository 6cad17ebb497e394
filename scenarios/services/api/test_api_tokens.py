"""Which tokens the api accepts: its own, and nothing that only looks like one."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import TYPE_CHECKING

import httpx
import pytest

from scenarios.services.api.answers import refused

if TYPE_CHECKING:
    from harness.person import Person
    from harness.stack import Stack

Member = Callable[[str], "Person"]


def sent(nobody: httpx.Client, stack: Stack, authorization: str) -> httpx.Response:
    return nobody.get(stack.url("api") + "/api/me", headers={b"Authorization": authorization.encode("latin-1")})


@pytest.mark.parametrize("audience", ["ticketing", "organizations"])
def test_a_token_for_another_service_is_refused(
    shared_stack: Stack, member: Member, audience: str, nobody: httpx.Client
) -> None:
    answer = sent(nobody, shared_stack, f"Bearer {member('alice').token(audience)}")
    refused(answer, 401, "unauthenticated")
    assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]


def test_the_api_token_opens_no_other_service(shared_stack: Stack, member: Member, nobody: httpx.Client) -> None:
    """What the MCP servers get from the api is exchanged; the caller's own token would not do."""
    token = member("alice").token("api")
    answer = nobody.post(shared_stack.audience("ticketing"), json={}, headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 401


@pytest.mark.parametrize("authorization", ["Bearer", "Basic YWxpY2U6YWxpY2U=", "bearer", "Token abc", ""])
def test_what_is_no_bearer_token_is_asked_for_one(
    shared_stack: Stack, authorization: str, nobody: httpx.Client
) -> None:
    answer = sent(nobody, shared_stack, authorization)
    refused(answer, 401, "unauthenticated")
    assert answer.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("token", ["x", "a.b.c", "....", "a" * 20_000, "é", "a b"])
def test_garbage_is_refused_without_being_repeated(shared_stack: Stack, token: str, nobody: httpx.Client) -> None:
    answer = sent(nobody, shared_stack, f"Bearer {token}")
    refused(answer, 401, "unauthenticated")
    assert len(answer.text) < 1000


def test_a_changed_claim_breaks_the_signature(shared_stack: Stack, member: Member, nobody: httpx.Client) -> None:
    header, payload, signature = member("victor").token("api").split(".")
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
    claims["roles"] = ["owner"]
    forged = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    answer = sent(nobody, shared_stack, f"Bearer {header}.{forged}.{signature}")
    assert "signature" in refused(answer, 401, "unauthenticated")["detail"]


def test_a_token_without_a_signature_is_refused(shared_stack: Stack, member: Member, nobody: httpx.Client) -> None:
    _, payload, _ = member("alice").token("api").split(".")
    header = base64.urlsafe_b64encode(b'{"alg":"none","typ":"at+jwt","kid":"x"}').rstrip(b"=").decode()
    refused(sent(nobody, shared_stack, f"Bearer {header}.{payload}."), 401, "unauthenticated")


def test_no_answer_and_no_log_line_holds_a_token(shared_stack: Stack, member: Member, nobody: httpx.Client) -> None:
    alice = member("alice")
    alice.api.get("/api/tickets")
    refused(sent(nobody, shared_stack, f"Bearer {alice.token('ticketing')}"), 401, "unauthenticated")
    log = shared_stack.log("api")
    assert "/api/tickets" in log
    assert alice.token("api") not in log
    assert alice.token("ticketing") not in log
    assert "eyJ" not in log
