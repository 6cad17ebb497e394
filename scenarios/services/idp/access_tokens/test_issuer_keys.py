"""The issuer's keys as a resource server knows them: fetched when needed, and not oftener (RFC 7517)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import httpx
import pytest
from anyio.from_thread import start_blocking_portal

from scenarios.services.idp.access_tokens.conftest import (
    AUDIENCE,
    ISSUER,
    NOW,
    Issuer,
    Verify,
    header,
    payload,
    published,
    refused,
)
from services.shared.tokens import KEPT, AccessToken, AccessTokenVerifier, KeysUnavailable


def test_the_issuer_is_asked_once(issuer: Issuer, verify: Verify) -> None:
    for _ in range(5):
        verify(issuer.sign(header(), payload()))
    assert issuer.fetches == 1


def test_a_new_key_is_known_at_once(issuer: Issuer, verify: Verify) -> None:
    verify(issuer.sign(header(), payload()))
    issuer.publish("rsa", "other")
    assert verify(issuer.sign(header(kid="other"), payload(), key="other")).subject == "usr_1"


def test_a_withdrawn_key_is_believed_no_longer_than_five_minutes(issuer: Issuer, verify: Verify) -> None:
    token = issuer.sign(header(), payload())
    verify(token)
    issuer.publish("other")
    assert verify(token, at=NOW + 299).subject == "usr_1"
    assert refused(verify, token, at=NOW + 300) == "the token is signed with an unknown key"


def test_a_token_that_was_valid_once_has_its_time_nevertheless(issuer: Issuer, verify: Verify) -> None:
    token = issuer.sign(header(), payload(nbf=NOW, exp=NOW + 100))
    assert verify(token) == verify(token, at=NOW + 99)
    assert refused(verify, token, at=NOW + 100) == "the token has expired"
    assert refused(verify, token, at=NOW - 1) == "the token is not valid yet"
    assert verify(token, at=NOW + 99).subject == "usr_1"


def test_another_key_under_the_same_id_does_not_vouch_for_what_the_former_signed(
    issuer: Issuer, verify: Verify
) -> None:
    token = issuer.sign(header(), payload())
    verify(token)
    issuer.jwks = {"keys": [published("rsa", *issuer.private["other"])]}
    assert refused(verify, token, at=NOW + 300) == "the signature does not match"


def test_one_token_among_very_many_is_still_checked(issuer: Issuer, verify: Verify) -> None:
    first = issuer.sign(header(), payload())
    for number in range(KEPT + 1):
        verify(issuer.sign(header(kid="ed", alg="EdDSA"), payload(jti=f"family.{number}"), key="ed"))
    assert verify(first).subject == "usr_1"
    assert refused(verify, first[:-4] + "AAAA") == "the signature does not match"


def test_a_clock_that_is_set_back_does_not_keep_old_keys_alive(issuer: Issuer, verify: Verify) -> None:
    verify(issuer.sign(header(), payload(exp=NOW + 7000)), at=NOW + 6000)
    issuer.publish("other")
    assert refused(verify, issuer.sign(header(), payload())) == "the token is signed with an unknown key"


def test_a_flood_of_unknown_keys_stays_here(issuer: Issuer, verify: Verify) -> None:
    for number in range(50):
        refused(verify, issuer.sign(header(kid=f"k{number}"), payload()))
    assert issuer.fetches == 11
    assert verify(issuer.sign(header(), payload())).subject == "usr_1"
    issuer.publish("other")
    assert verify(issuer.sign(header(kid="other"), payload(), key="other"), at=NOW + 1).subject == "usr_1"


def test_many_at_once_fetch_once(issuer: Issuer) -> None:
    token = issuer.sign(header(), payload())

    async def respond_later(request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(0)  # the others get their turn while the answer is on its way
        return issuer.respond(request)

    async def burst() -> list[AccessToken]:
        async with httpx.AsyncClient(transport=httpx.MockTransport(respond_later)) as http:
            verifier = AccessTokenVerifier(issuer=ISSUER, audience=AUDIENCE, http=http)
            return await asyncio.gather(*(verifier.verify(token, at=NOW) for _ in range(20)))

    with start_blocking_portal() as portal:
        assert len(portal.call(burst)) == 20
    assert issuer.fetches == 1


def unreachable() -> httpx.Response:
    raise httpx.ConnectError("connection refused")


@pytest.mark.parametrize(
    "answer",
    [
        unreachable,
        lambda: httpx.Response(503),
        lambda: httpx.Response(302, headers={"Location": "https://evil.example/jwks"}),
        lambda: httpx.Response(200, text="<html>"),
        lambda: httpx.Response(200, json=[]),
        lambda: httpx.Response(200, json={"keys": {}}),
    ],
    ids=["down", "503", "redirect", "HTML", "list", "no list"],
)
def test_without_the_issuers_keys_nothing_is_said_about_the_token(
    issuer: Issuer, verify: Verify, answer: Callable[[], httpx.Response]
) -> None:
    issuer.answer = answer
    with pytest.raises(KeysUnavailable):
        verify(issuer.sign(header(), payload()))
    issuer.answer = None
    assert verify(issuer.sign(header(), payload())).subject == "usr_1"


def test_an_issuer_that_is_down_does_not_matter_while_its_keys_are_known(issuer: Issuer, verify: Verify) -> None:
    token = issuer.sign(header(), payload())
    verify(token)
    issuer.answer = unreachable
    assert verify(token).subject == "usr_1"


def test_members_of_no_use_in_a_key_set_are_passed_over(issuer: Issuer, verify: Verify) -> None:
    good = issuer.jwks["keys"][0]
    secret = {"kty": "oct", "k": "c2VjcmV0", "kid": "rsa", "alg": "HS256"}
    nonsense = [
        None,
        {},
        {"kid": "rsa"},
        {"kty": "XYZ", "kid": "rsa"},
        good | {"alg": ["RS256"]},
        good | {"use": "enc"},
        good | {"kid": 1},
        secret,
    ]
    issuer.jwks = {"keys": [*nonsense, good]}
    assert verify(issuer.sign(header(), payload())).subject == "usr_1"


def test_two_keys_of_one_name_are_no_key(issuer: Issuer, verify: Verify) -> None:
    issuer.jwks["keys"].append(published("rsa", *issuer.private["other"]))
    for key in ("rsa", "other"):
        assert refused(verify, issuer.sign(header(), payload(), key=key)) == "the token is signed with an unknown key"
