"""Client credentials: RFC 6749 §4.4, with RFC 8707 §2 and the claims of RFC 9068 §2.2."""

from __future__ import annotations

import pytest

from scenarios.services.idp.conftest import Alone, claims, refused


def test_a_service_gets_a_token_in_its_own_name_and_nothing_else(alone: Alone) -> None:
    response = alone.client_credentials()
    assert response.headers["cache-control"] == "no-store"
    answer = response.json()
    assert answer.keys() == {"access_token", "token_type", "expires_in", "scope"}
    assert (answer["token_type"], answer["expires_in"], answer["scope"]) == ("Bearer", 600, "users:write")
    told = claims(answer["access_token"])
    assert told.keys() == {"iss", "sub", "aud", "exp", "iat", "nbf", "jti", "client_id", "scope"}
    assert (told["sub"], told["client_id"]) == ("organizations", "organizations")
    assert told["aud"] == f"{alone.at.idp}/scim/v2"


def test_without_a_scope_it_gets_all_that_the_resource_understands(alone: Alone) -> None:
    assert alone.client_credentials(scope=None).json()["scope"] == "users:read users:write"


def test_scopes_that_only_mean_something_for_a_person_fall_away(alone: Alone) -> None:
    answer = alone.client_credentials(scope="openid offline_access users:read").json()
    assert answer["scope"] == "users:read"
    assert "id_token" not in answer
    assert "refresh_token" not in answer


def test_two_tokens_have_two_ids(alone: Alone) -> None:
    ids = {claims(alone.client_credentials().json()["access_token"])["jti"] for _ in range(2)}
    assert len(ids) == 2


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"scope": "openid offline_access"}, "invalid_scope"),
        ({"scope": "tickets:read"}, "invalid_scope"),
        ({"scope": "unheard:of"}, "invalid_scope"),
        ({"resource": "http://localhost:43"}, "invalid_target"),
        ({"resource": "https://evil.example"}, "invalid_target"),
        ({"client_id": "api"}, "invalid_request"),
    ],
)
def test_other_requests_are_refused(alone: Alone, changes: dict[str, str | None], error: str) -> None:
    refused(alone.client_credentials(**changes), 400, error)


def test_who_has_no_default_names_a_resource(alone: Alone) -> None:
    clients = alone.provider.registry.clients
    clients.put("organizations", clients["organizations"].model_copy(update={"default_resource": None}))
    refused(alone.client_credentials(), 400, "invalid_target")
    assert alone.client_credentials(resource=f"{alone.at.idp}/scim/v2").status_code == 200


def test_a_client_that_is_only_named_gets_nothing(alone: Alone) -> None:
    clients = alone.provider.registry.clients
    clients.put("cli", clients["cli"].model_copy(update={"grants": frozenset({"client_credentials"})}))
    form = {"grant_type": "client_credentials", "client_id": "cli", "resource": alone.at.api}
    refused(alone.post("/token", form), 400, "unauthorized_client")


def test_it_opens_no_userinfo(alone: Alone) -> None:
    response = alone.userinfo(alone.client_credentials().json()["access_token"])
    assert response.status_code == 403
    assert 'error="insufficient_scope"' in response.headers["www-authenticate"]


def test_it_can_be_revoked(alone: Alone) -> None:
    token = alone.client_credentials().json()["access_token"]
    organizations = ("organizations", alone.organizations_secret)
    assert alone.post("/introspect", {"token": token}, auth=organizations).json()["active"] is True
    assert alone.post("/revoke", {"token": token}, auth=organizations).status_code == 200
    assert alone.post("/introspect", {"token": token}, auth=organizations).json() == {"active": False}
