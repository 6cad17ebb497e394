"""Nothing that opens anything is written where somebody may read it later."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from scenarios.services.idp.conftest import VERIFIER, Client

if TYPE_CHECKING:
    from harness.stack import Stack


def test_logs_and_journal_of_a_whole_sign_in_have_no_secret(stack: Stack, fresh: Client) -> None:
    answer = fresh.sign_in()
    tokens = fresh.redeem(answer["code"]).json()
    renewed = fresh.refresh(tokens["refresh_token"]).json()
    assert fresh.userinfo(renewed["access_token"]).status_code == 200
    assert stack.sign_in("alice").api.get("/api/tickets").status_code == 200
    fresh.http.get("/logout", params={"id_token_hint": renewed["id_token"]})
    fresh.revoke(renewed["refresh_token"])
    told = [each[name] for each in (tokens, renewed) for name in ("access_token", "refresh_token", "id_token")]
    cookies = [cookie.value for cookie in fresh.http.cookies.jar if cookie.value]
    written = "".join(map(stack.log, stack.services)) + json.dumps(stack.journal())
    assert "POST /token" in written
    secrets = [answer["code"], VERIFIER, *told, *cookies]
    assert [secret for secret in secrets if secret in written or secret.split(".")[-1] in written] == []


def test_what_is_refused_is_not_repeated(stack: Stack, fresh: Client) -> None:
    secret = "a-secret-that-was-sent-to-the-wrong-place"  # noqa: S105  # of nobody
    answers = [
        fresh.http.get("/authorize", params={"client_id": secret}),
        fresh.post("/token", {"grant_type": secret, "client_id": "cli"}),
        fresh.post("/token", {"client_id": secret, "client_secret": secret}),
        fresh.redeem(secret),
        fresh.refresh(secret),
        fresh.revoke(secret),
        fresh.userinfo(secret),
        fresh.http.post("/login", data={"interaction": secret, "username": secret}),
        fresh.http.get("/logout", params={"id_token_hint": secret}),
        fresh.http.post("/token", content=secret, headers={"Content-Type": "application/json"}),
    ]
    for answer in answers:
        assert secret not in answer.text + str(answer.headers)
    assert secret not in stack.log("idp") + json.dumps(stack.journal())
