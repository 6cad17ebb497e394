"""Token exchange: RFC 8693, with the refusals of its §2.2.2 and RFC 8707 §2."""

from __future__ import annotations

from typing import Any

import jwt
import pytest

from scenarios.services.idp.conftest import ACCESS_TOKEN, EXCHANGE, Alone, Client, claims, refused
from services.idp.grants.exchange import JWT, MOST_ACTORS


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
        ({"resource": "http://localhost:41/scim/v2"}, "invalid_target"),
        ({"audience": "http://localhost:45/mcp"}, "invalid_target"),
        ({"subject_token": None}, "invalid_request"),
        ({"subject_token_type": None}, "invalid_request"),
        ({"subject_token_type": "urn:ietf:params:oauth:token-type:id_token"}, "invalid_request"),
        ({"requested_token_type": "urn:ietf:params:oauth:token-type:refresh_token"}, "invalid_request"),
        ({"requested_token_type": "urn:ietf:params:oauth:token-type:id_token"}, "invalid_request"),
        ({"actor_token": "x", "actor_token_type": ACCESS_TOKEN}, "invalid_request"),
        ({"actor_token": "x"}, "invalid_request"),
        ({"actor_token_type": ACCESS_TOKEN}, "invalid_request"),
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


@pytest.mark.parametrize("kind", [ACCESS_TOKEN, JWT])
def test_an_access_token_is_a_jwt_too(alone: Alone, kind: str) -> None:
    answer = alone.exchange(alone.tokens()["access_token"], subject_token_type=kind, requested_token_type=kind).json()
    assert (answer["issued_token_type"], answer["token_type"]) == (kind, "Bearer")
    assert jwt.get_unverified_header(answer["access_token"])["typ"] == "at+jwt"


def test_resource_and_audience_may_name_the_same_and_not_two(alone: Alone) -> None:
    token = alone.tokens()["access_token"]
    assert alone.exchange(token, audience=alone.at.ticketing).status_code == 200
    refused(alone.exchange(token, audience=alone.at.organizations), 400, "invalid_target")
    refused(alone.exchange(token, resource=None, audience="ticketing"), 400, "invalid_target")


def test_somebody_who_left_is_acted_for_no_more(alone: Alone) -> None:
    users, token = alone.provider.registry.users, alone.tokens("alice")["access_token"]
    alice = users[claims(token)["sub"]]
    users.put(alice.sub, alice.model_copy(update={"active": False}))
    description = refused(alone.exchange(token), 400, "invalid_request")
    assert description == "subject_token: the subject is neither a known person nor a known client"


def test_a_machine_that_is_acted_for_stays_a_machine(alone: Alone) -> None:
    clients = alone.provider.registry.clients
    at_api = {"resources": frozenset({alone.at.api}), "default_resource": alone.at.api}
    clients.put("organizations", clients["organizations"].model_copy(update=at_api))
    token = alone.client_credentials(scope="tickets:read").json()["access_token"]
    told = claims(alone.exchange(token).json()["access_token"])
    assert (told["sub"], told["client_id"], told["act"]) == ("organizations", "api", {"sub": "api"})
    assert not {"org_id", "roles"} & told.keys()


def test_a_token_bound_to_a_key_is_not_exchanged(alone: Alone) -> None:
    bound = signed(alone, cnf={"jkt": "thumbprint"})
    description = refused(alone.exchange(bound), 400, "invalid_request")
    assert description == "subject_token: the token is bound to a key and is no bearer token"


def test_the_chain_of_actors_has_an_end(alone: Alone) -> None:
    act: dict[str, Any] = {}
    for number in range(MOST_ACTORS):
        assert alone.exchange(signed(alone, **({"act": act} if act else {}))).status_code == 200, number
        act = {"sub": f"service-{number}"} | ({"act": act} if act else {})
    description = refused(alone.exchange(signed(alone, act=act)), 400, "invalid_request")
    assert description == "subject_token: too many have acted already"


def test_the_actor_may_be_the_caller_of_the_api(alone: Alone) -> None:
    subject, actor = alone.tokens("rita")["access_token"], alone.tokens("alice")["access_token"]
    answer = alone.exchange(subject, actor_token=actor, actor_token_type=ACCESS_TOKEN).json()
    told = claims(answer["access_token"])
    assert (told["sub"], told["client_id"]) == (claims(subject)["sub"], "api")
    assert told["act"] == {"sub": claims(actor)["sub"]}


def test_the_actor_stands_in_front_of_those_before(alone: Alone) -> None:
    actor = alone.tokens("alice")["access_token"]
    subject = signed(alone, act={"sub": "frontend"})
    answer = alone.exchange(subject, actor_token=actor, actor_token_type=JWT).json()
    assert claims(answer["access_token"])["act"] == {"sub": claims(actor)["sub"], "act": {"sub": "frontend"}}


def test_the_new_token_does_not_outlive_the_actors_either(alone: Alone) -> None:
    actor = alone.tokens("alice")["access_token"]
    alone.seconds += 400
    subject = alone.tokens("rita")["access_token"]
    answer = alone.exchange(subject, actor_token=actor, actor_token_type=ACCESS_TOKEN).json()
    assert claims(answer["access_token"])["exp"] == claims(actor)["exp"]


def test_the_actor_token_is_verified(alone: Alone) -> None:
    subject = alone.tokens("rita")["access_token"]
    revoked, whole = alone.tokens("alice")["access_token"], alone.tokens("alice")
    alone.revoke(revoked)
    unfit = {
        revoked: "the token was revoked",
        whole["id_token"]: "the token is not an access token",
        whole["refresh_token"]: "the token is not a signed JWT",
        alone.tokens(resource=alone.at.ticketing)["access_token"]: "it is neither the client's own nor meant for it",
        signed(alone, act={"sub": "frontend"}): "somebody else acts in it already",
        signed(alone, sub="nobody"): "the subject is neither a known person nor a known client",
        signed(alone, cnf={"jkt": "x"}): "the token is bound to a key and is no bearer token",
    }
    for actor, description in unfit.items():
        response = alone.exchange(subject, actor_token=actor, actor_token_type=ACCESS_TOKEN)
        assert refused(response, 400, "invalid_request") == f"actor_token: {description}"


def test_where_the_subject_says_who_may_act_nobody_else_does(alone: Alone) -> None:
    for may_act in ({"sub": "api"}, {"sub": "api", "iss": alone.at.idp}):
        assert alone.exchange(signed(alone, may_act=may_act)).status_code == 200
    for other in (
        {"sub": "frontend"},
        {"sub": "api", "iss": "https://other.example"},
        {"email": "x"},
        {},
        "api",
        ["api"],
    ):
        description = refused(alone.exchange(signed(alone, may_act=other)), 400, "invalid_request")
        assert description == "subject_token: its subject lets somebody else act"


def signed(alone: Alone, **changes: Any) -> str:
    """A token for the api that this provider signed, with these claims in place of the usual ones."""
    return alone.provider.keys.sign(claims(alone.tokens()["access_token"]) | changes, typ="at+jwt")
