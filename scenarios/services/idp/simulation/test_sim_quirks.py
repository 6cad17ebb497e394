"""Quirks are real: a careful client notices each one, and is content without any."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from authlib.oidc.core import CodeIDToken
from joserfc import jwk, jwt
from joserfc.errors import JoseError

from harness import modules
from scenarios.services.idp.conftest import Alone, Ask, Client, refused, told
from scenarios.services.idp.oracles.conftest import NATIVE, SCOPE, perform
from services.idp.simulation.quirks import QUIRKS

if TYPE_CHECKING:
    from harness.stack import Stack

NOTICED_BY_AUTHLIB = "id-token-at-hash-wrong"
"""openid-client has no use for ``at_hash``: in its flow the token comes over the same connection."""


@pytest.fixture(scope="module")
def noticed(shared_stack: Stack) -> dict[str, str | None]:
    """What openid-client, used with care, says under each quirk, and under ``none``."""
    modules.ensure(modules.ORACLES)
    control = shared_stack.control("idp")
    asked = {
        "issuer": shared_stack.url("idp"),
        "client_id": "cli",
        "redirect_uri": NATIVE,
        "scope": SCOPE,
        "resource": shared_stack.audience("api"),
        "resource_url": f"{shared_stack.url('api')}/api/tickets",
        "username": "alice",
        "secret": control.secret,
        "quirks": list(QUIRKS),
    }
    found: dict[str, str | None] = perform("openid-client.mjs", "under_quirks", asked)["noticed"]
    return found


@pytest.mark.parametrize("quirk", [name for name in QUIRKS if name != NOTICED_BY_AUTHLIB])
def test_a_careful_client_notices(noticed: dict[str, str | None], quirk: str) -> None:
    assert noticed["none"] is None
    assert noticed[quirk]


def test_authlib_notices_an_id_token_that_goes_with_another_access_token(shared_stack: Stack, idp: Client) -> None:
    control, keys = shared_stack.control("idp"), jwk.KeySet.import_key_set(idp.http.get("/jwks").json())

    def signed_in() -> None:
        tokens = idp.tokens()
        header, options = {"alg": "RS256"}, {"iss": {"value": idp.at.idp}}
        read = jwt.decode(tokens["id_token"], keys, algorithms=["RS256"]).claims
        CodeIDToken(read, header, options, {"access_token": tokens["access_token"]}).validate()

    signed_in()
    with control.quirk(NOTICED_BY_AUTHLIB), pytest.raises(JoseError, match="at_hash"):
        signed_in()


def test_every_quirk_is_told_with_what_it_bends(ask: Ask) -> None:
    listed = ask("GET", "/quirks").json()
    assert [quirk["name"] for quirk in listed["quirks"]] == list(QUIRKS)
    assert listed["active"] == {}


def test_a_quirk_may_bend_only_so_many_answers(ask: Ask, alone: Alone) -> None:
    ask("PUT", "/quirks/issuer-missing", {"times": 2})
    told = ["issuer" in alone.http.get("/.well-known/openid-configuration").json() for _ in range(3)]
    assert told == [False, False, True]
    assert ask("GET", "/quirks").json()["active"] == {}


def test_quirks_go_together_and_end_together(ask: Ask, alone: Alone) -> None:
    for name in ("iss-wrong", "state-missing"):
        ask("PUT", f"/quirks/{name}", {})
    answer = alone.sign_in()
    assert answer["iss"] == "http://elsewhere.example"
    assert "state" not in answer
    ask("DELETE", "/quirks")
    assert alone.sign_in()["iss"] == alone.at.idp


def test_a_refusal_is_never_bent_into_something_else(ask: Ask, alone: Alone) -> None:
    for name in QUIRKS:
        ask("PUT", f"/quirks/{name}", {})
    refused(alone.refresh("never-issued"), 400, "invalid_grant")
    assert alone.authorize(alone.asked(redirect_uri="http://127.0.0.1/elsewhere")).status_code == 400


def test_the_way_to_the_page_is_not_the_way_back(ask: Ask, alone: Alone) -> None:
    ask("PUT", "/quirks/iss-wrong", {})
    assert told(alone.authorize(alone.asked())).keys() == {"interaction"}


def test_a_tenants_quirks_are_its_own(ask: Ask, alone: Alone) -> None:
    ask("PUT", "/quirks/issuer-wrong", {}, tenant="partner")
    for path in ("/t/partner/.well-known/openid-configuration", "/.well-known/openid-configuration/t/partner"):
        assert alone.http.get(path).json()["issuer"] == "http://elsewhere.example"
    assert alone.http.get("/.well-known/openid-configuration").json()["issuer"] == alone.at.idp


def test_a_spared_refresh_token_can_be_used_again(ask: Ask, alone: Alone) -> None:
    ask("PUT", "/quirks/no-rotation", {})
    token = alone.tokens()["refresh_token"]
    assert [alone.refresh(token).json()["refresh_token"] for _ in range(3)] == [token] * 3
    ask("DELETE", "/quirks")
    assert alone.refresh(token).json()["refresh_token"] != token
    refused(alone.refresh(token), 400, "invalid_grant")
