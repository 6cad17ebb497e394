"""What nobody means: each is answered as its RFC says, by the tenant that was asked, and nothing breaks."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

import httpx2 as httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from scenarios.services.idp.conftest import ALONE, Alone, Ask, Living, refused, told
from scenarios.services.idp.signed import Signer
from services.idp import shelf

JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"


def proof(alone: Alone, **changes: Any) -> dict[str, str]:
    """Headers of a request for user information with a proof of somebody's own making (RFC 9449 §4.2)."""
    private = ec.generate_private_key(ec.SECP256R1())
    jwk: dict[str, Any] = jwt.get_algorithm_by_name("ES256").to_jwk(private.public_key(), as_dict=True)
    header = {"typ": "dpop+jwt", "jwk": {name: jwk[name] for name in ("kty", "crv", "x", "y")}}
    digest = base64.urlsafe_b64encode(hashlib.sha256(b"abc").digest()).rstrip(b"=").decode()
    usual = {"jti": "1", "htm": "GET", "htu": f"{ALONE.idp}/userinfo", "iat": int(alone.seconds), "ath": digest}
    made = jwt.api_jws.encode(json.dumps(usual | changes).encode(), private, "ES256", header)
    return {"Authorization": "DPoP abc", "DPoP": made}


@pytest.mark.parametrize("ath", ["é", "", 5, None, "\ud800"], ids=ascii)
def test_a_proof_for_no_token_at_all_is_refused(alone: Alone, ath: Any) -> None:
    answer = alone.http.get("/userinfo", headers=proof(alone, ath=ath))
    assert answer.status_code == 401
    assert "DPoP" in answer.headers["WWW-Authenticate"]


@pytest.mark.parametrize("port", ["１２３", "99999", "65536", "٣"])  # that they look alike is the point
def test_a_port_has_digits_of_ascii_and_ends_at_65535(alone: Alone, port: str) -> None:
    answer = alone.authorize(alone.asked(redirect_uri=f"http://127.0.0.1:{port}/callback"))
    assert answer.status_code == 400
    assert "location" not in answer.headers


@pytest.mark.parametrize("key", [{"kty": "oct"}, {"kty": "OKP", "alg": "none"}, {"kty": "RSA"}, {}], ids=str)
def test_a_client_with_an_unusable_key_cannot_register(alone: Alone, key: dict[str, str]) -> None:
    asked = {
        "redirect_uris": ["https://a.example/"],
        "token_endpoint_auth_method": "private_key_jwt",
        "jwks": {"keys": [key | {"kid": "1"}]},
    }
    refused(alone.http.post("/register", json=asked), 400, "invalid_client_metadata")


@pytest.mark.parametrize("flaw", [{"drop": ["sub"]}, {"claims": {"sub": 5}}], ids=str)
def test_a_hint_at_nobody_is_no_hint(alone: Alone, ask: Ask, flaw: dict[str, Any]) -> None:
    hint = ask("POST", "/mint", {"header": {"typ": "JWT"}} | flaw).json()["token"]
    answer = alone.authorize(alone.asked(id_token_hint=hint))
    assert answer.status_code == 303
    assert "error=invalid_request" in answer.headers["location"]


@pytest.mark.parametrize("claims", [{"sid": None}, {"aud": []}, {"aud": 5}, {"aud": ["cli", "ui"]}], ids=str)
def test_a_sign_out_for_no_session_and_no_client_is_refused(alone: Alone, ask: Ask, claims: dict[str, Any]) -> None:
    told = {"aud": "cli", "sid": "some"} | claims
    hint = ask("POST", "/mint", {"header": {"typ": "JWT"}, "claims": told}).json()["token"]
    assert alone.http.get("/logout", params={"id_token_hint": hint}).status_code == 400


def test_an_audience_of_one_may_be_a_list(alone: Alone, ask: Ask) -> None:
    told = {"aud": ["cli"], "sid": "some"}
    hint = ask("POST", "/mint", {"header": {"typ": "JWT"}, "claims": told}).json()["token"]
    assert alone.http.get("/logout", params={"id_token_hint": hint, "client_id": "cli"}).status_code < 400


def test_a_token_with_half_a_character_is_none(alone: Alone, settings: dict[str, str]) -> None:
    asked = json.dumps({"audience": ALONE.idp, "claims": {"jti": "\ud800"}})
    secret = {"Authorization": f"Bearer {settings['SIMULATION_SECRET']}", "Content-Type": "application/json"}
    token = alone.http.post("/_sim/mint", content=asked, headers=secret).json()["token"]
    assert alone.revoke(token).status_code == 200
    assert alone.userinfo(token).status_code == 401


@pytest.mark.parametrize("path", ["token", "authorize", "register", "jwks", "healthz"])
@pytest.mark.parametrize("tenant", ["", "/t/partner"])
def test_a_slash_at_the_end_leads_nowhere(alone: Alone, tenant: str, path: str) -> None:
    answer = alone.http.post(f"{tenant}/{path}/", headers={"Host": "evil.example"})
    assert answer.status_code in (404, 405)
    assert "location" not in answer.headers


def test_a_word_about_nobody_is_believed_by_no_claim(alone: Alone, ask: Ask) -> None:
    stranger = Signer("https://stranger.example", ALONE.idp)
    trusted = {"issuer": stranger.name, "jwks": stranger.jwks, "subject": "username"}
    assert ask("PUT", "/issuers", trusted).status_code == 200
    told = {"preferred_username": "alice", "client_id": "cli", "resource": ALONE.api}

    def answered(**changes: Any) -> httpx.Response:
        word = stranger.assertion(at=alone.seconds, headers={"typ": "JWT"}, **told | changes)
        return alone.post(
            "/token", {"grant_type": JWT_BEARER, "client_id": "cli", "assertion": word, "resource": ALONE.api}
        )

    assert answered(sub="who").status_code == 200
    refused(answered(sub=None), 400, "invalid_grant")
    refused(answered(sub=5), 400, "invalid_grant")


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer no"}], ids=str)
def test_the_simulation_reads_nothing_of_who_may_not_ask(alone: Alone, headers: dict[str, str]) -> None:
    answer = alone.http.post("/_sim/mint", content="{", headers={"Content-Type": "application/json", **headers})
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    answer = alone.http.post("/_sim/mint", content="{", headers={"Host": "evil.example", **headers})
    assert answer.status_code == 421


def test_a_request_that_breaks_something_is_recorded_too(
    living: Living, settings: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with living(raises=False) as alone:
        monkeypatch.setattr(alone.provider.store, "add_family", lambda _: 1 / 0)
        assert alone.pick("alice", alone.authorize(alone.asked())).status_code == 500
        told = alone.http.get("/_sim/requests", headers={"Authorization": f"Bearer {settings['SIMULATION_SECRET']}"})
        assert 500 in [request["status"] for request in told.json()["requests"]]


def test_what_was_revoked_stays_so_however_much_is_revoked_after_it(
    alone: Alone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shelf, "CAPACITY", 1_000)
    token = alone.tokens()["access_token"]
    alone.revoke(token)
    for number in range(3_001):
        alone.provider.store.revoke_access_token(f"other-{number}", expires_at=alone.seconds + 600)
    assert alone.introspect(token).json() == {"active": False}


def registered(alone: Alone) -> dict[str, str]:
    """A public client that registered itself."""
    asked = {"client_name": "Planner", "redirect_uris": ["https://a.example/"], "token_endpoint_auth_method": "none"}
    answer: dict[str, str] = alone.http.post("/register", json=asked).json()
    return answer


def silently(alone: Alone, client: dict[str, str], redirect_uri: str) -> str:
    """What the client is told that asks without a page: ``code`` or the error."""
    asked = alone.asked(client_id=client["client_id"], redirect_uri=redirect_uri, scope="openid", prompt="none")
    answer = told(alone.authorize(asked))
    return answer.get("error", "code")


def allowed(alone: Alone) -> dict[str, str]:
    """A registered client that Alice has let in."""
    client = registered(alone)
    asked = alone.asked(client_id=client["client_id"], redirect_uri="https://a.example/", scope="openid")
    alone.answer(alone.pick("alice", alone.authorize(asked)).headers["location"])
    assert silently(alone, client, "https://a.example/") == "code"
    return client


def test_an_application_that_has_become_another_one_asks_again(alone: Alone) -> None:
    client = allowed(alone)
    asked = {"client_id": client["client_id"], "client_name": "Other", "redirect_uris": ["https://other.example/"]}
    bearer = {"Authorization": f"Bearer {client['registration_access_token']}"}
    changed = alone.http.put(
        f"/register/{client['client_id']}", json=asked | {"token_endpoint_auth_method": "none"}, headers=bearer
    )
    assert changed.status_code == 200, changed.text
    assert silently(alone, client, "https://other.example/") == "consent_required"


def test_whoever_was_shut_out_is_asked_again(alone: Alone, ask: Ask) -> None:
    client = allowed(alone)
    for active in (False, True):
        assert ask("PUT", "/users/alice", {"active": active}).status_code == 200
    alone.sign_in("alice")
    assert silently(alone, client, "https://a.example/") == "consent_required"


def test_a_client_that_was_taken_away_leaves_nothing_behind(alone: Alone, ask: Ask) -> None:
    tokens = alone.tokens()
    client = next(each for each in ask("GET", "/clients").json()["clients"] if each["id"] == "cli")
    assert ask("DELETE", "/clients/cli").status_code == 204
    assert ask("PUT", "/clients/cli", client).status_code == 200
    assert alone.introspect(tokens["access_token"]).json() == {"active": False}
    refused(alone.refresh(tokens["refresh_token"]), 400, "invalid_grant")


@pytest.mark.parametrize("change", [{"grants": 5}, {"grants": "code"}, {"redirect_uris": 5}, {"name": None}], ids=str)
def test_a_client_that_cannot_be_is_refused_and_changes_nothing(alone: Alone, ask: Ask, change: Any) -> None:
    before = ask("GET", "/clients").json()
    assert ask("PUT", "/clients/cli", change).status_code == 400
    assert ask("GET", "/clients").json() == before


def test_a_person_who_cannot_be_kept_is_as_before(alone: Alone, ask: Ask, settings: dict[str, str]) -> None:
    before = ask("GET", "/users").json()
    secret = {"Authorization": f"Bearer {settings['SIMULATION_SECRET']}", "Content-Type": "application/json"}
    content = json.dumps({"claims": {"x": "\ud800"}})
    assert alone.http.put("/_sim/users/olivia", content=content, headers=secret).status_code == 400
    assert ask("GET", "/users").json() == before


def test_strangers_cannot_have_it_ask_this_machine(living: Living, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ISSUER_URL", "https://idp.example")
    monkeypatch.setenv("IDP_PUBLIC_ISSUER", "true")
    here = "http://127.0.0.1:9/admin"
    with living(base_url="https://idp.example") as alone:
        asked = {"grant_type": "refresh_token", "refresh_token": "any", "client_id": here}
        assert "cannot be read" not in refused(alone.http.post("/token", data=asked), 401, "invalid_client")
        client = {"redirect_uris": ["https://a.example/"], "backchannel_logout_uri": here}
        refused(alone.http.post("/register", json=client), 400, "invalid_client_metadata")
