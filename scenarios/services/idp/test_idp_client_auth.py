"""How clients prove themselves: RFC 6749 §2.3.1 in header and form, RFC 7523 §2.2 and OIDC Core §9 by a signature."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote_plus

import httpx2 as httpx
import jwt
import pytest
from pydantic import ValidationError

from scenarios.services.idp.conftest import ALONE, Alone, claims, refused
from scenarios.services.idp.signed import MAKERS, Signer
from services.idp.assertions import LONGEST_S
from services.idp.client_auth import JWT_BEARER
from services.idp.registry import Algorithm, Client

SECRET = "a secret: + and %"  # noqa: S105 - made up


def registered(alone: Alone, **changes: Any) -> Client:
    """A service that may ask for itself, registered with these fields."""
    usual = {
        "id": "robot",
        "name": "Robot",
        "grants": ["client_credentials"],
        "resources": [alone.at.api],
        "default_resource": alone.at.api,
    }
    client = Client.model_validate(usual | changes)
    alone.provider.registry.clients.put(client.id, client)
    return client


@pytest.fixture
def robot(alone: Alone) -> Signer:
    """A client that is registered with its key."""
    signer = Signer("robot", f"{ALONE.idp}/token")
    registered(alone, auth_method="private_key_jwt", jwks=signer.jwks)
    return signer


def ask(alone: Alone, form: dict[str, str | None] | None = None, **request: Any) -> httpx.Response:
    return alone.post("/token", {"grant_type": "client_credentials"} | (form or {}), **request)


def proving(assertion: str, **changes: str | None) -> dict[str, str | None]:
    return {"client_assertion_type": JWT_BEARER, "client_assertion": assertion} | changes


def test_a_secret_in_the_form(alone: Alone) -> None:
    registered(alone, secret=SECRET, auth_method="client_secret_post")
    answer = ask(alone, {"client_id": "robot", "client_secret": SECRET})
    assert claims(answer.json()["access_token"])["client_id"] == "robot"


@pytest.mark.parametrize(
    "form",
    [
        {"client_id": "robot", "client_secret": "wrong"},
        {"client_id": "robot"},
        {"client_secret": SECRET},
        {"client_id": "nobody", "client_secret": SECRET},
    ],
    ids=["wrong", "none", "nameless", "unknown"],
)
def test_a_wrong_secret_in_the_form(alone: Alone, form: dict[str, str | None]) -> None:
    registered(alone, secret=SECRET, auth_method="client_secret_post")
    response = ask(alone, form)
    refused(response, 401, "invalid_client")
    assert response.headers["www-authenticate"].startswith("Basic realm=")


@pytest.mark.parametrize("algorithm", MAKERS)
def test_a_signature(alone: Alone, algorithm: Algorithm) -> None:
    signer = Signer("robot", f"{ALONE.idp}/token", algorithm)
    registered(alone, auth_method="private_key_jwt", jwks=signer.jwks)
    answer = ask(alone, proving(signer.assertion(at=alone.seconds)))
    assert answer.status_code == 200, answer.text
    assert claims(answer.json()["access_token"])["sub"] == "robot"


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": ALONE.idp},
        {"aud": [ALONE.idp, "https://other.example"]},
        {"headers": {"typ": "client-authentication+jwt"}},
        {"headers": {"typ": None}},
        {"headers": {"kid": None}},
        {"nbf": 1},
        {"iat": None},
    ],
    ids=["issuer", "list", "typed", "no typ", "no kid", "nbf", "no iat"],
)
def test_what_a_signed_assertion_may_look_like(alone: Alone, robot: Signer, changes: dict[str, Any]) -> None:
    assertion = robot.assertion(at=alone.seconds, **changes)
    assert ask(alone, proving(assertion, client_id="robot")).status_code == 200


@pytest.mark.parametrize(
    ("changes", "description"),
    [
        ({"iss": "other"}, "iss and sub must both be the client"),
        ({"iss": None}, "iss and sub must both be the client"),
        ({"aud": "https://other.example/token"}, "it is for another audience"),
        ({"aud": f"{ALONE.idp}/"}, "it is for another audience"),
        ({"aud": f"{ALONE.idp}/revoke"}, "it is for another audience"),
        ({"aud": f"{ALONE.idp}/t/partner"}, "it is for another audience"),
        ({"aud": None}, "aud is missing or is not text"),
        ({"aud": [ALONE.idp, 7]}, "aud is missing or is not text"),
        ({"exp": None}, "exp is missing or is not a time"),
        ({"exp": "soon"}, "exp is missing or is not a time"),
        ({"exp": 1}, "the token has expired"),
        ({"nbf": 99_999_999_999}, "the token is not valid yet"),
        ({"jti": None}, "jti is missing or is not text"),
        ({"jti": 7}, "jti is missing or is not text"),
        ({"headers": {"typ": "at+jwt"}}, "typ is that of another kind of token"),
        ({"headers": {"typ": "logout+jwt"}}, "typ is that of another kind of token"),
        ({"headers": {"kid": "key-2"}}, "it is signed with an unknown key"),
        ({"headers": {"crit": ["b64"]}}, "the token has critical headers that are not understood"),
    ],
)
def test_a_signed_assertion_that_is_not_good(
    alone: Alone, robot: Signer, changes: dict[str, Any], description: str
) -> None:
    response = ask(alone, proving(robot.assertion(at=alone.seconds, **changes)))
    assert refused(response, 401, "invalid_client") == f"client_assertion: {description}"
    assert response.headers["www-authenticate"].startswith("Basic realm=")


@pytest.mark.parametrize("sub", [None, 7, "nobody", ["robot"]])
def test_an_assertion_about_nobody(alone: Alone, robot: Signer, sub: Any) -> None:
    assertion = robot.assertion(at=alone.seconds, sub=sub)
    assert refused(ask(alone, proving(assertion)), 401, "invalid_client") == "the client is unknown"


def test_an_assertion_that_ends_too_late(alone: Alone, robot: Signer) -> None:
    longest = int(alone.seconds) + LONGEST_S
    assert ask(alone, proving(robot.assertion(at=alone.seconds, exp=longest))).status_code == 200
    description = refused(
        ask(alone, proving(robot.assertion(at=alone.seconds, exp=longest + 1))), 401, "invalid_client"
    )
    assert description == "client_assertion: it is valid for too long"


def test_an_assertion_is_good_once(alone: Alone, robot: Signer) -> None:
    once = robot.assertion(at=alone.seconds, jti="once")
    assert ask(alone, proving(once)).status_code == 200
    again = robot.assertion(at=alone.seconds, jti="once", iat=1)
    for assertion in (once, again):
        assert refused(ask(alone, proving(assertion)), 401, "invalid_client") == "client_assertion: it was used before"
    alone.seconds += 61
    assert ask(alone, proving(robot.assertion(at=alone.seconds, jti="once"))).status_code == 200


def test_ids_of_one_client_are_not_those_of_another(alone: Alone, robot: Signer) -> None:
    other = Signer("other", f"{ALONE.idp}/token")
    registered(alone, id="other", auth_method="private_key_jwt", jwks=other.jwks)
    for signer in (robot, other):
        assert ask(alone, proving(signer.assertion(at=alone.seconds, jti="1"))).status_code == 200


def test_an_assertion_that_is_refused_is_not_used_up(alone: Alone, robot: Signer) -> None:
    other = Signer("robot", robot.audience)
    refused(ask(alone, proving(other.assertion(at=alone.seconds, jti="mine"))), 401, "invalid_client")
    assert ask(alone, proving(robot.assertion(at=alone.seconds, jti="mine"))).status_code == 200


def test_nobody_else_can_sign(alone: Alone, robot: Signer) -> None:
    other = Signer("robot", robot.audience).assertion(at=alone.seconds)
    header, payload, _ = robot.assertion(at=alone.seconds).split(".")
    body = {"iss": "robot", "sub": "robot", "aud": robot.audience, "exp": int(alone.seconds) + 60, "jti": "1"}
    public = robot.jwks["keys"][0]
    forged = {
        other: "client_assertion: the signature does not match",
        f"{header}.{payload}.": "client_assertion: the token is not a signed JWT",
        jwt.encode(body, "", "none", {"kid": "key-1"}): "client_assertion: the token is not a signed JWT",
        jwt.encode(
            body, public["x"] + public["y"], "HS256", {"kid": "key-1"}
        ): "client_assertion: the signature algorithm is not allowed",
        "nonsense": "client_assertion: the token is not a signed JWT",
        "a" * 10_000: "client_assertion: the token is too long",
    }
    for assertion, description in forged.items():
        assert refused(ask(alone, proving(assertion)), 401, "invalid_client") == description


def test_without_a_name_for_the_key_only_one_may_fit(alone: Alone) -> None:
    first, second = (Signer("robot", ALONE.idp, kid=kid) for kid in ("key-1", "key-2"))
    registered(alone, auth_method="private_key_jwt", jwks={"keys": first.jwks["keys"] + second.jwks["keys"]})
    for signer in (first, second):
        assert ask(alone, proving(signer.assertion(at=alone.seconds))).status_code == 200
        nameless = signer.assertion(at=alone.seconds, headers={"kid": None})
        refused(ask(alone, proving(nameless)), 401, "invalid_client")


@pytest.mark.parametrize(
    "changes",
    [
        {"client_assertion_type": None},
        {"client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:saml2-bearer"},
        {"client_assertion": None},
    ],
)
def test_half_a_proof_is_none(alone: Alone, robot: Signer, changes: dict[str, str | None]) -> None:
    """RFC 7521 §4.2.1: an assertion that is no good in whatever way is a client that did not authenticate."""
    refused(ask(alone, proving(robot.assertion(at=alone.seconds), **changes)), 401, "invalid_client")


@pytest.mark.parametrize("changes", [{"client_id": "other"}, {"client_secret": SECRET}])
def test_two_names_and_two_proofs_are_no_request(alone: Alone, robot: Signer, changes: dict[str, str | None]) -> None:
    refused(ask(alone, proving(robot.assertion(at=alone.seconds), **changes)), 400, "invalid_request")


def test_header_and_assertion_are_two_proofs(alone: Alone, robot: Signer) -> None:
    form = proving(robot.assertion(at=alone.seconds))
    assert refused(ask(alone, form, auth=("robot", SECRET)), 400, "invalid_request")


def test_each_client_only_by_its_own_method(alone: Alone, robot: Signer) -> None:
    signed = proving(robot.assertion(at=alone.seconds))
    by_form: dict[str, str | None] = {"client_id": "robot", "client_secret": SECRET}
    by_header = ("robot", quote_plus(SECRET))
    for method, registration in (
        ("client_secret_basic", {"secret": SECRET}),
        ("client_secret_post", {"secret": SECRET, "auth_method": "client_secret_post"}),
        ("private_key_jwt", {"jwks": robot.jwks, "auth_method": "private_key_jwt"}),
    ):
        registered(alone, **registration)
        wrong = {
            "client_secret_basic": ask(alone, auth=by_header),
            "client_secret_post": ask(alone, by_form),
            "private_key_jwt": ask(alone, signed),
            "none": ask(alone, {"client_id": "robot"}),
        }
        right = wrong.pop(method)
        assert right.status_code == 200, right.text
        for response in wrong.values():
            assert refused(response, 401, "invalid_client") == f"the client must authenticate with {method}"
    registered(alone, grants=["authorization_code"])
    for response in (ask(alone, auth=by_header), ask(alone, by_form)):
        assert refused(response, 401, "invalid_client") == "the client does not authenticate"


def test_other_endpoints_take_the_same_proofs(alone: Alone, robot: Signer) -> None:
    token = ask(alone, proving(robot.assertion(at=alone.seconds))).json()["access_token"]
    at_revoke = robot.assertion(at=alone.seconds, aud=f"{ALONE.idp}/revoke")
    form = {"token": token} | proving(at_revoke)
    assert alone.post("/revoke", form).status_code == 200
    refused(alone.post("/revoke", form), 401, "invalid_client")


def test_another_tenant_is_another_audience(alone: Alone, robot: Signer) -> None:
    partner = alone.app.state.tenants["partner"]
    partner.registry.clients.put("robot", alone.provider.registry.clients["robot"])
    form = {"grant_type": "client_credentials"} | proving(robot.assertion(at=alone.seconds))
    refused(alone.post("/t/partner/token", form), 401, "invalid_client")


def test_proofs_outlive_no_assertion_and_secrets_no_request(
    alone: Alone, robot: Signer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    assertion = robot.assertion(at=alone.seconds)
    ask(alone, proving(assertion))
    registered(alone, id="poster", secret=SECRET, auth_method="client_secret_post")
    ask(alone, {"client_id": "poster", "client_secret": SECRET})
    assert assertion not in caplog.text
    assert SECRET not in caplog.text


@pytest.mark.parametrize("wrong", ["private", "shared", "empty", "no list", "no key", "other algorithm"])
def test_only_public_keys_are_registered(alone: Alone, wrong: str) -> None:
    signer = Signer("robot", ALONE.idp)
    private = jwt.get_algorithm_by_name("ES256").to_jwk(signer.private, as_dict=True)
    jwks: dict[str, Any] = {
        "private": {"keys": [private]},
        "shared": {"keys": [{"kty": "oct", "k": "c2VjcmV0"}]},
        "empty": {"keys": []},
        "no list": {"keys": "some"},
        "no key": {"keys": [signer.jwks["keys"][0], "some"]},
        "other algorithm": {"keys": [signer.jwks["keys"][0] | {"alg": "ES512"}]},
    }
    with pytest.raises(ValidationError, match="jwks"):
        registered(alone, auth_method="private_key_jwt", jwks=jwks[wrong])


def test_methods_and_algorithms_are_announced(alone: Alone) -> None:
    metadata = alone.http.get("/.well-known/oauth-authorization-server").json()
    for endpoint in ("token", "revocation"):
        assert metadata[f"{endpoint}_endpoint_auth_methods_supported"] == [
            "none", "client_secret_basic", "client_secret_post", "private_key_jwt",
        ]  # fmt: skip
        algorithms = metadata[f"{endpoint}_endpoint_auth_signing_alg_values_supported"]
        assert algorithms == ["ES256", "EdDSA", "RS256"]
