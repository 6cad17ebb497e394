"""Token exchange: RFC 8693, with the refusals of its §2.2.2 and RFC 8707 §2."""

from __future__ import annotations

import pytest

from scenarios.services.idp.conftest import ACCESS_TOKEN, EXCHANGE, Alone, Client, claims, refused


def test_the_api_gets_a_token_for_the_next_service_in_the_name_of_its_caller(alone: Alone) -> None:
    subject_token = alone.tokens("alice")["access_token"]
    response = alone.exchange(subject_token)
    assert response.headers["cache-control"] == "no-store"
    answer = response.json()
    assert answer.keys() == {"access_token", "token_type", "expires_in", "scope", "issued_token_type"}
    assert (answer["token_type"], answer["issued_token_type"]) == ("Bearer", ACCESS_TOKEN)
    before, after = claims(subject_token), claims(answer["access_token"])
    assert {name: after[name] for name in ("iss", "sub", "org_id", "roles")} == {
        name: before[name] for name in ("iss", "sub", "org_id", "roles")
    }
    assert (after["aud"], after["client_id"], after["act"]) == (alone.at.ticketing, "api", {"sub": "api"})
    assert after["jti"] != before["jti"]


def test_who_acted_before_stays_named(alone: Alone) -> None:
    clients = alone.provider.registry.clients
    chained = clients["api"].model_copy(update={"exchanges": alone.at.ticketing})
    first = alone.exchange(alone.tokens()["access_token"]).json()["access_token"]
    clients.put("api", chained)
    second = alone.exchange(first).json()["access_token"]
    assert claims(second)["act"] == {"sub": "api", "act": {"sub": "api"}}


def test_its_scope_is_what_both_the_caller_had_and_the_target_knows(alone: Alone) -> None:
    subject_token = alone.tokens(scope="openid tickets:read orgs:read")["access_token"]
    assert claims(alone.exchange(subject_token).json()["access_token"])["scope"] == "tickets:read"
    at_organizations = alone.exchange(subject_token, resource=alone.at.organizations)
    assert at_organizations.json()["scope"] == "orgs:read"


def test_less_may_be_asked_for(alone: Alone) -> None:
    subject_token = alone.tokens(scope="tickets:read tickets:write")["access_token"]
    assert alone.exchange(subject_token, scope="tickets:read").json()["scope"] == "tickets:read"


def test_the_target_may_be_named_as_audience(alone: Alone) -> None:
    subject_token = alone.tokens()["access_token"]
    answer = alone.exchange(subject_token, resource=None, audience=alone.at.organizations)
    assert claims(answer.json()["access_token"])["aud"] == alone.at.organizations


def test_the_new_token_does_not_outlive_the_old_one(alone: Alone) -> None:
    subject_token = alone.tokens()["access_token"]
    alone.seconds += 500
    answer = alone.exchange(subject_token).json()
    assert answer["expires_in"] <= 100
    assert claims(answer["access_token"])["exp"] == claims(subject_token)["exp"]


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"scope": "tickets:read tickets:delete"}, "invalid_scope"),
        ({"scope": "orgs:read"}, "invalid_scope"),
        ({"resource": None}, "invalid_target"),
        ({"resource": "https://evil.example"}, "invalid_target"),
        ({"resource": "http://localhost:43"}, "invalid_target"),
        ({"audience": "http://localhost:45/mcp"}, "invalid_target"),
        ({"subject_token": None}, "invalid_request"),
        ({"subject_token_type": None}, "invalid_request"),
        ({"subject_token_type": "urn:ietf:params:oauth:token-type:id_token"}, "invalid_request"),
        ({"requested_token_type": "urn:ietf:params:oauth:token-type:refresh_token"}, "invalid_request"),
        ({"actor_token": "x", "actor_token_type": ACCESS_TOKEN}, "invalid_request"),
    ],
)
def test_other_requests_are_refused(alone: Alone, changes: dict[str, str | None], error: str) -> None:
    subject_token = alone.tokens(scope="openid tickets:read tickets:write orgs:read")["access_token"]
    refused(alone.exchange(subject_token, **changes), 400, error)


def test_a_token_without_a_scope_of_the_target_is_not_exchanged(alone: Alone) -> None:
    refused(alone.exchange(alone.tokens(scope="openid orgs:read")["access_token"]), 400, "invalid_scope")


def test_only_a_token_meant_for_the_caller_is_exchanged(alone: Alone) -> None:
    for_ticketing = alone.tokens(resource=alone.at.ticketing)["access_token"]
    description = refused(alone.exchange(for_ticketing), 400, "invalid_request")
    assert description == "subject_token: the token is for another audience"
    exchanged = alone.exchange(alone.tokens()["access_token"]).json()["access_token"]
    refused(alone.exchange(exchanged, resource=alone.at.organizations), 400, "invalid_request")


def test_the_subject_token_is_verified(alone: Alone) -> None:
    answer = alone.tokens()
    header, payload, signature = answer["access_token"].split(".")
    other = alone.tokens("olivia")["access_token"].split(".")
    for forged in (
        f"{header}.{other[1]}.{signature}",
        f"{header}.{payload}.",
        answer["id_token"],
        answer["refresh_token"],
        "nonsense",
    ):
        refused(alone.exchange(forged), 400, "invalid_request")


def test_an_expired_subject_token_is_refused(alone: Alone) -> None:
    subject_token = alone.tokens()["access_token"]
    alone.seconds += 600
    assert refused(alone.exchange(subject_token), 400, "invalid_request") == "subject_token: the token has expired"


def test_a_revoked_subject_token_is_refused(alone: Alone) -> None:
    subject_token = alone.tokens()["access_token"]
    alone.revoke(subject_token)
    assert refused(alone.exchange(subject_token), 400, "invalid_request") == "subject_token: the token was revoked"


@pytest.mark.parametrize("client_id", ["ui", "cli"])
def test_public_clients_do_not_exchange(idp: Client, client_id: str) -> None:
    form = {
        "grant_type": EXCHANGE,
        "client_id": client_id,
        "subject_token": idp.tokens()["access_token"],
        "subject_token_type": ACCESS_TOKEN,
        "resource": idp.at.ticketing,
    }
    refused(idp.post("/token", form), 400, "unauthorized_client")
