"""Token introspection: RFC 7662. What is not good, or none of the caller's business, is only ever not active."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote_plus, urlencode

import httpx2 as httpx
import pytest

from scenarios.services.idp.conftest import EVERYTHING, LOOPBACK, VERIFIER, Alone, Client, claims, refused
from services.idp.registry import Client as Registered

NOT_ACTIVE = {"active": False}
DESK = ("desk", "a secret")


def told(response: httpx.Response) -> dict[str, Any]:
    assert response.status_code == 200, response.text
    assert response.headers["cache-control"] == "no-store"
    answer: dict[str, Any] = response.json()
    return answer


@pytest.fixture
def desk(alone: Alone) -> Alone:
    """Besides the api there is an application with a secret, where people sign in."""
    client = Registered.model_validate(
        {
            "id": "desk",
            "name": "Desk",
            "secret": "a secret",
            "redirect_uris": [LOOPBACK],
            "grants": ["authorization_code", "refresh_token"],
            "resources": [alone.at.api, alone.at.ticketing],
        }
    )
    alone.provider.registry.clients.put("desk", client)
    return alone


def desk_tokens(desk: Alone, **changes: str) -> dict[str, Any]:
    code = desk.sign_in("alice", desk.asked(client_id="desk", **changes))["code"]
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": LOOPBACK}
    answer: dict[str, Any] = desk.post("/token", form | {"code_verifier": VERIFIER}, auth=DESK).json()
    return answer


def asked_by_desk(desk: Alone, token: str) -> dict[str, Any]:
    return told(desk.post("/introspect", {"token": token}, auth=DESK))


def test_the_service_a_token_is_meant_for_is_told_all_of_it(alone: Alone) -> None:
    token = alone.tokens("alice")["access_token"]
    answer = told(alone.introspect(token))
    assert answer == {"active": True, "username": "alice", "token_type": "Bearer", **claims(token)}
    assert answer.keys() >= {"iss", "sub", "aud", "exp", "iat", "nbf", "jti", "client_id", "scope", "org_id", "roles"}


def test_a_hint_is_no_more_than_that(alone: Alone) -> None:
    token = alone.tokens()["access_token"]
    for hint in ("access_token", "refresh_token", "something"):
        assert told(alone.introspect(token, token_type_hint=hint))["active"] is True


def test_a_machine_has_no_username(alone: Alone) -> None:
    token = alone.client_credentials().json()["access_token"]
    asked = alone.post("/introspect", {"token": token}, auth=("organizations", alone.organizations_secret))
    assert told(asked) == {"active": True, "token_type": "Bearer", **claims(token)}
    assert told(alone.introspect(token)) == NOT_ACTIVE


def test_the_client_a_token_was_issued_to_may_ask(desk: Alone) -> None:
    at_ticketing = desk_tokens(desk, resource=desk.at.ticketing)["access_token"]
    assert asked_by_desk(desk, at_ticketing)["aud"] == desk.at.ticketing
    assert told(desk.introspect(at_ticketing)) == NOT_ACTIVE
    exchanged = desk.exchange(desk_tokens(desk)["access_token"]).json()["access_token"]
    assert told(desk.introspect(exchanged))["act"] == {"sub": "api"}
    assert asked_by_desk(desk, exchanged) == NOT_ACTIVE


def test_a_refresh_token_is_its_clients_business(desk: Alone) -> None:
    answer = desk_tokens(desk)
    about = {name: claims(answer["access_token"])[name] for name in ("sub", "org_id")}
    seen = asked_by_desk(desk, answer["refresh_token"])
    assert seen.pop("exp") > desk.seconds
    assert set(seen.pop("scope").split()) == set(EVERYTHING.split())
    assert seen == about | {"active": True, "iss": desk.at.idp, "username": "alice", "client_id": "desk"}
    assert told(desk.introspect(answer["refresh_token"])) == NOT_ACTIVE


def test_a_refresh_token_that_would_be_refused_is_not_active(desk: Alone) -> None:
    first = desk_tokens(desk)["refresh_token"]
    form = {"grant_type": "refresh_token", "refresh_token": first}
    second = desk.post("/token", form, auth=DESK).json()["refresh_token"]
    assert asked_by_desk(desk, first) == NOT_ACTIVE
    assert asked_by_desk(desk, second)["active"] is True
    desk.post("/revoke", {"token": second}, auth=DESK)
    assert asked_by_desk(desk, second) == NOT_ACTIVE
    third = desk_tokens(desk)["refresh_token"]
    desk.seconds += 31 * 24 * 3600
    assert asked_by_desk(desk, third) == NOT_ACTIVE


def test_what_was_never_issued_is_not_active(alone: Alone) -> None:
    answer = alone.tokens()
    header, payload, signature = answer["access_token"].split(".")
    other = alone.tokens("olivia")["access_token"].split(".")[1]
    for token in (
        "nonsense",
        "a.b.c",
        "é" * 100,
        "x" * 20_000,
        answer["id_token"],
        f"{header}.{payload}.",
        f"{header}.{other}.{signature}",
        f"{answer['access_token']} ",
    ):
        assert told(alone.introspect(token)) == NOT_ACTIVE, token


def test_an_expired_token_is_not_active(alone: Alone) -> None:
    token = alone.tokens()["access_token"]
    alone.seconds += 600
    assert told(alone.introspect(token)) == NOT_ACTIVE


def test_a_revoked_token_is_not_active(alone: Alone) -> None:
    token = alone.tokens()["access_token"]
    alone.revoke(token)
    assert told(alone.introspect(token)) == NOT_ACTIVE


def test_a_token_of_somebody_who_may_get_none_is_not_active(alone: Alone) -> None:
    users, token = alone.provider.registry.users, alone.tokens("alice")["access_token"]
    alice = users[claims(token)["sub"]]
    users.put(alice.sub, alice.model_copy(update={"active": False}))
    assert told(alone.introspect(token)) == NOT_ACTIVE
    users.drop(alice.sub)
    assert told(alone.introspect(token)) == NOT_ACTIVE


def test_a_token_of_another_tenant_is_not_active(alone: Alone) -> None:
    partner = alone.app.state.tenants["partner"]
    foreign = partner.keys.sign(claims(alone.tokens()["access_token"]) | {"iss": partner.issuer}, typ="at+jwt")
    ours_by_their_key = partner.keys.sign(claims(alone.tokens()["access_token"]), typ="at+jwt")
    for token in (foreign, ours_by_their_key):
        assert told(alone.introspect(token)) == NOT_ACTIVE
    partner.registry.clients.put("api", alone.provider.registry.clients["api"])
    asked = {"token": alone.tokens()["access_token"]}
    response = alone.post("/t/partner/introspect", asked, auth=("api", quote_plus(alone.api_secret)))
    assert told(response) == NOT_ACTIVE


def test_claims_of_ones_own_change_nothing_about_the_answer(alone: Alone) -> None:
    users, token = alone.provider.registry.users, alone.tokens("alice")["access_token"]
    alice = users[claims(token)["sub"]]
    odd = {"active": False, "username": "olivia", "token_type": "none"}
    users.put(alice.sub, alice.model_copy(update={"claims": odd}))
    answer = told(alone.introspect(alone.tokens("alice")["access_token"]))
    assert (answer["active"], answer["username"], answer["token_type"]) == (True, "alice", "Bearer")


@pytest.mark.parametrize("client_id", ["cli", "ui", "nobody", None])
def test_who_is_only_named_may_not_ask(idp: Client, client_id: str | None) -> None:
    response = idp.post("/introspect", {"client_id": client_id, "token": idp.tokens()["access_token"]})
    refused(response, 401, "invalid_client")
    assert response.headers["www-authenticate"].startswith("Basic realm=")


def test_a_wrong_secret_and_a_missing_or_repeated_token(alone: Alone) -> None:
    api = ("api", quote_plus(alone.api_secret))
    refused(alone.post("/introspect", {"token": "x"}, auth=("api", "wrong")), 401, "invalid_client")
    refused(alone.post("/introspect", {}, auth=api), 400, "invalid_request")
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    twice = urlencode([("token", "x"), ("token", "y")])
    refused(alone.http.post("/introspect", content=twice, headers=form, auth=api), 400, "invalid_request")
    refused(alone.http.post("/introspect", json={"token": "x"}, auth=api), 400, "invalid_request")
    assert alone.http.get("/introspect").status_code == 405


def test_it_is_announced_for_those_who_authenticate(alone: Alone) -> None:
    metadata = alone.http.get("/.well-known/oauth-authorization-server").json()
    assert metadata["introspection_endpoint"] == f"{alone.at.idp}/introspect"
    methods = ["client_secret_basic", "client_secret_post", "private_key_jwt"]
    assert metadata["introspection_endpoint_auth_methods_supported"] == methods
