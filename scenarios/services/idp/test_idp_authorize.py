"""The authorization endpoint: RFC 6749 §4.1.1, RFC 8707 §2.1, RFC 9207, OIDC Core §3.1.2."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest

from scenarios.services.idp.conftest import LOOPBACK, Alone, Client, told
from services.idp.redirects import registered
from services.idp.registry import Client as RegisteredClient


def test_a_sign_in_ends_at_the_client_with_code_state_and_issuer(idp: Client) -> None:
    begun = idp.authorize(idp.asked())
    assert begun.headers["location"].startswith(f"{idp.at.idp}/login?interaction=")
    ended = idp.pick("alice", begun)
    assert ended.headers["location"].startswith(f"{LOOPBACK}?")
    assert ended.headers["cache-control"] == "no-store"
    answer = told(ended)
    assert answer.keys() == {"code", "state", "iss"}
    assert (answer["state"], answer["iss"]) == ("the state", idp.at.idp)


def test_the_request_may_come_as_a_form(idp: Client) -> None:
    assert "interaction" in told(idp.post("/authorize", idp.asked()))


@pytest.mark.parametrize(
    "redirect_uri",
    [
        "https://evil.example/callback",
        "http://127.0.0.1:4321/callback/",
        "http://127.0.0.1:4321/callback?next=https://evil.example",
        "http://127.0.0.1:4321/callback#fragment",
        "http://127.0.0.1:4321@evil.example/callback",
        "http://127.0.0.1.evil.example/callback",
        "http://localhost:4321/callback",
        "https://127.0.0.1:4321/callback",
        "http://[::1]:4321/other",
        "http://127.0.0.2:4321/callback",
        "javascript:alert(1)",
        None,
    ],
)
def test_a_redirect_uri_that_is_not_registered_is_told_to_the_person_and_never_followed(
    idp: Client, redirect_uri: str | None
) -> None:
    response = idp.authorize(idp.asked(redirect_uri=redirect_uri))
    assert response.status_code == 400
    assert "location" not in response.headers
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert "evil.example" not in response.text


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]"])
@pytest.mark.parametrize("port", ["", ":1", ":65535"])
def test_a_native_client_may_listen_on_any_loopback_port(idp: Client, host: str, port: str) -> None:
    callback = f"http://{host}{port}/callback"
    begun = idp.authorize(idp.asked(redirect_uri=callback))
    assert idp.pick("alice", begun).headers["location"].startswith(f"{callback}?code=")


def test_a_web_client_may_not_change_its_port(idp: Client) -> None:
    response = idp.authorize(idp.as_ui(redirect_uri="http://localhost:1/auth/callback"))
    assert (response.status_code, "location" in response.headers) == (400, False)


def test_only_a_native_client_has_the_loopback_exception() -> None:
    web = RegisteredClient(
        id="web", name="Web", grants=frozenset(), resources=frozenset(), redirect_uris=frozenset({LOOPBACK})
    )
    assert registered(LOOPBACK, web)
    assert not registered(LOOPBACK.replace("4321", "4322"), web)
    assert not registered(LOOPBACK, web.model_copy(update={"redirect_uris": {"http://127.0.0.1/callback"}}))


@pytest.mark.parametrize("client_id", ["nobody", "", None])
def test_an_unknown_client_gets_a_page(idp: Client, client_id: str | None) -> None:
    response = idp.authorize(idp.asked(client_id=client_id))
    assert (response.status_code, "location" in response.headers) == (400, False)


@pytest.mark.parametrize("name", ["client_id", "redirect_uri"])
def test_two_addressees_are_none(idp: Client, name: str) -> None:
    asked = idp.asked()
    response = idp.authorize(urlencode([*asked.items(), (name, asked[name])]))
    assert (response.status_code, "location" in response.headers) == (400, False)


@pytest.mark.parametrize("name", ["scope", "nonce", "code_challenge", "response_type", "something_unknown"])
def test_a_repeated_parameter_is_told_to_the_client(idp: Client, name: str) -> None:
    asked = idp.asked(something_unknown="1")
    answer = told(idp.authorize(urlencode([*asked.items(), (name, asked[name])])))
    assert answer["error"] == "invalid_request"
    assert (answer["state"], answer["iss"]) == ("the state", idp.at.idp)


def test_a_repeated_state_is_not_given_back(idp: Client) -> None:
    answer = told(idp.authorize(urlencode([*idp.asked().items(), ("state", "another")])))
    assert (answer["error"], "state" in answer) == ("invalid_request", False)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"response_type": None}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": "code id_token"}, "unsupported_response_type"),
        ({"response_mode": "fragment"}, "invalid_request"),
        ({"scope": "tickets:everything"}, "invalid_scope"),
        ({"scope": "tickets:read tickets:everything"}, "invalid_scope"),
        ({"resource": None}, "invalid_target"),
        ({"resource": "https://evil.example"}, "invalid_target"),
        ({"prompt": "none login"}, "invalid_request"),
        ({"prompt": "wave"}, "invalid_request"),
        ({"max_age": "-1"}, "invalid_request"),
        ({"max_age": "soon"}, "invalid_request"),
        ({"request": "e30.e30."}, "request_not_supported"),
        ({"request_uri": "https://evil.example/request"}, "request_uri_not_supported"),
        ({"registration": "{}"}, "registration_not_supported"),
        ({"id_token_hint": "nonsense"}, "invalid_request"),
        ({"prompt": "none"}, "login_required"),
    ],
)
def test_what_is_wrong_is_told_to_the_client_with_state_and_issuer(
    idp: Client, changes: dict[str, str | None], error: str
) -> None:
    answer = told(idp.authorize(idp.asked(**changes)))
    assert answer["error"] == error
    assert (answer["state"], answer["iss"]) == ("the state", idp.at.idp)
    assert "code" not in answer


def test_a_resource_with_a_slash_too_many_is_another_resource(idp: Client) -> None:
    assert told(idp.authorize(idp.asked(resource=f"{idp.at.ticketing}/")))["error"] == "invalid_target"


def test_the_web_interface_gets_tokens_for_the_api_only(idp: Client) -> None:
    assert told(idp.authorize(idp.as_ui(resource=idp.at.ticketing)))["error"] == "invalid_target"
    assert "interaction" in told(idp.authorize(idp.as_ui(resource=idp.at.api)))


def test_two_resources_need_two_tokens(idp: Client) -> None:
    both = [*idp.asked(resource=None).items(), ("resource", idp.at.api), ("resource", idp.at.ticketing)]
    assert told(idp.authorize(urlencode(both)))["error"] == "invalid_target"


def test_a_client_that_never_signs_anybody_in_has_no_way_back(idp: Client) -> None:
    assert idp.authorize(idp.asked(client_id="api")).status_code == 400


@pytest.mark.parametrize(
    "query",
    [
        "client_id=%ff%fe",
        "client_id=cli&redirect_uri=http://127.0.0.1/callback%0d%0aSet-Cookie:%20a=b",
        "&".join(f"p{number}=1" for number in range(200)),
        "client_id=" + "x" * 40_000,
    ],
    ids=["not text", "a header inside", "too many", "too long"],
)
def test_a_query_that_cannot_be_read_gets_a_page(alone: Alone, query: str) -> None:
    response = alone.authorize(query)
    assert (response.status_code, "location" in response.headers) == (400, False)
    assert response.headers["content-type"] == "text/html; charset=utf-8"


def test_a_signed_in_person_is_not_asked_again(idp: Client) -> None:
    idp.sign_in("alice")
    assert "code" in told(idp.authorize(idp.asked()))
    assert "code" in told(idp.authorize(idp.as_ui(prompt="none")))


@pytest.mark.parametrize("prompt", ["login", "consent", "select_account", "login consent"])
def test_the_page_can_be_demanded(idp: Client, prompt: str) -> None:
    idp.sign_in("alice")
    assert "interaction" in told(idp.authorize(idp.asked(prompt=prompt)))


def test_a_session_that_is_too_old_does_not_do(alone: Alone) -> None:
    alone.sign_in("alice")
    alone.seconds += 100
    assert "code" in told(alone.authorize(alone.asked(max_age="100")))
    alone.seconds += 1
    assert "interaction" in told(alone.authorize(alone.asked(max_age="100")))
    assert told(alone.authorize(alone.asked(max_age="100", prompt="none")))["error"] == "login_required"


def test_an_age_of_nothing_brings_the_page_at_once(alone: Alone) -> None:
    alone.sign_in("alice")
    assert "interaction" in told(alone.authorize(alone.asked(max_age="0")))
    assert told(alone.authorize(alone.asked(max_age="0", prompt="none")))["error"] == "login_required"


def test_a_session_ends_by_itself(alone: Alone) -> None:
    alone.sign_in("alice")
    alone.seconds += 8 * 3600
    assert told(alone.authorize(alone.asked(prompt="none")))["error"] == "login_required"


def test_a_hint_at_somebody_else_brings_the_page(idp: Client) -> None:
    of_alice = idp.tokens("alice")["id_token"]
    assert "code" in told(idp.authorize(idp.asked(id_token_hint=of_alice, prompt="none")))
    idp.sign_in("adam")
    assert told(idp.authorize(idp.asked(id_token_hint=of_alice, prompt="none")))["error"] == "login_required"
    assert "interaction" in told(idp.authorize(idp.asked(id_token_hint=of_alice)))
