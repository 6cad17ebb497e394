"""JWT bearer: RFC 7523 §2.1 and §3, with the word of another tenant and of an issuer that is known by its keys."""

from __future__ import annotations

import json
from typing import Any

import httpx2 as httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from scenarios.services.idp.conftest import ALONE, Alone, Ask, Living, claims, refused
from scenarios.services.idp.signed import Signer

GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
PARTNER = f"{ALONE.idp}/t/partner"
PUBLIC = {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}
PRIVATE = PUBLIC | {"d": "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"}
"""Of RFC 8037, appendix A."""

Changes = dict[str, Any]


@pytest.fixture
def word(alone: Alone, ask: Ask) -> Any:
    """``word(sub=…)``: an assertion of the partner about Alice; ``...`` takes a claim out."""

    def about(
        *, header: Changes | None = None, sign_with: str = "active", tamper: str | None = None, **changes: Any
    ) -> str:
        usual = {"aud": ALONE.idp, "email": "alice@acme.example", "scope": ..., "client_id": ...}
        bent = usual | changes
        asked = {
            "user": "petra",
            "audience": ALONE.idp,
            "claims": {name: value for name, value in bent.items() if value is not ...},
            "drop": [name for name, value in bent.items() if value is ...],
            "header": {"typ": "JWT"} | (header or {}),
            "sign_with": sign_with,
            "tamper": tamper,
        }
        token: str = ask("POST", "/mint", asked, tenant="partner").json()["token"]
        return token

    return about


def hand_in(alone: Alone, assertion: str | None, /, **changes: str | None) -> httpx.Response:
    usual = {"grant_type": GRANT, "client_id": "cli", "assertion": assertion, "resource": ALONE.ticketing}
    return alone.post("/token", usual | {"scope": "tickets:read"} | changes)


def test_a_word_of_the_partner_is_a_token_for_the_person_both_know(alone: Alone, word: Any) -> None:
    response = hand_in(alone, word())
    assert response.headers["cache-control"] == "no-store"
    answer = response.json()
    assert answer.keys() == {"access_token", "token_type", "expires_in", "scope"}
    told, alice = claims(answer["access_token"]), alone.provider.registry.user_named("alice")
    assert alice is not None
    assert (told["iss"], told["sub"], told["aud"], told["client_id"]) == (ALONE.idp, alice.sub, ALONE.ticketing, "cli")
    assert (told["scope"], told["roles"]) == ("tickets:read", [alice.memberships[0].role])


@pytest.mark.parametrize("audience", [ALONE.idp, f"{ALONE.idp}/token", ["http://elsewhere.example", ALONE.idp]])
def test_it_is_for_the_issuer_or_its_token_endpoint(alone: Alone, word: Any, audience: Any) -> None:
    assert hand_in(alone, word(aud=audience)).status_code == 200


@pytest.mark.parametrize("typ", ["authorization-grant+jwt", "application/authorization-grant+jwt"])
def test_it_may_say_what_it_is(alone: Alone, word: Any, typ: str) -> None:
    assert hand_in(alone, word(header={"typ": typ})).status_code == 200


def jag(word: Any, **changes: Any) -> str:
    """An identity assertion, which is for one client and no other (draft-ietf-oauth-identity-assertion-authz-grant)."""
    assertion: str = word(**{"header": {"typ": "oauth-id-jag+jwt"}, "client_id": "cli"} | changes)
    return assertion


def test_an_identity_assertion_is_for_its_client(alone: Alone, word: Any, ask: Ask) -> None:
    assertion = jag(word)
    ask("PUT", "/clients/thief", {"grants": [GRANT], "resources": [ALONE.ticketing]})
    description = refused(hand_in(alone, assertion, client_id="thief"), 400, "invalid_grant")
    assert description == "assertion: it is for another client"
    refused(hand_in(alone, jag(word, client_id=...)), 400, "invalid_grant")
    assert hand_in(alone, assertion).status_code == 200


@pytest.mark.parametrize("resource", [ALONE.ticketing, [ALONE.api, ALONE.ticketing]])
def test_an_identity_assertion_may_be_for_a_resource(alone: Alone, word: Any, resource: Any) -> None:
    assertion = jag(word, resource=resource)
    description = refused(
        hand_in(alone, assertion, resource=ALONE.organizations, scope="orgs:read"), 400, "invalid_grant"
    )
    assert description == "assertion: it is for another resource"
    assert hand_in(alone, assertion).status_code == 200
    refused(hand_in(alone, jag(word, resource=7)), 400, "invalid_grant")


def test_an_identity_assertion_may_be_for_some_scopes(alone: Alone, word: Any) -> None:
    assertion = jag(word, scope="tickets:read orgs:read")
    refused(hand_in(alone, assertion, scope="tickets:read tickets:write"), 400, "invalid_scope")
    refused(hand_in(alone, assertion, scope=None, resource=f"{ALONE.idp}/t"), 400, "invalid_target")
    assert hand_in(alone, assertion, scope=None).json()["scope"] == "tickets:read"
    refused(hand_in(alone, jag(word, scope="orgs:read"), scope=None), 400, "invalid_scope")
    refused(hand_in(alone, jag(word, scope=["tickets:read"])), 400, "invalid_grant")


@pytest.mark.parametrize(
    "bent",
    [
        {"aud": "http://elsewhere.example"},
        {"aud": f"{ALONE.idp}/"},
        {"aud": ...},
        {"iss": "http://elsewhere.example"},
        {"iss": ALONE.idp},
        {"iss": ...},
        {"exp": 1},
        {"exp": ...},
        {"exp": 4_000_000_000},
        {"nbf": 4_000_000_000},
        {"jti": ...},
        {"email": "nobody@acme.example"},
        {"email": ...},
        {"email": 7},
        {"email_verified": False},
        {"header": {"typ": "at+jwt"}},
        {"header": {"typ": "logout+jwt"}},
        {"header": {"kid": "other"}},
        {"header": {"crit": ["b64"]}},
        {"sign_with": "none"},
        {"sign_with": "hmac-public-key"},
        {"sign_with": "foreign"},
        {"sign_with": "unpublished"},
        {"sign_with": "tenant:"},
        {"tamper": "change-payload"},
        {"tamper": "flip-signature"},
        {"tamper": "duplicate-claim"},
        {"tamper": "two-parts"},
    ],
    ids=str,
)
def test_a_word_that_does_not_hold_is_refused(alone: Alone, word: Any, bent: Changes) -> None:
    assert refused(hand_in(alone, word(**bent)), 400, "invalid_grant").startswith("assertion: ")


def test_it_is_good_once(alone: Alone, word: Any) -> None:
    assertion = word()
    assert hand_in(alone, assertion).status_code == 200
    assert "used before" in refused(hand_in(alone, assertion), 400, "invalid_grant")


def test_a_request_that_fails_otherwise_does_not_use_it_up(alone: Alone, word: Any) -> None:
    assertion = word()
    refused(hand_in(alone, assertion, scope="nonsense"), 400, "invalid_scope")
    refused(hand_in(alone, assertion, scope="openid"), 400, "invalid_scope")
    refused(hand_in(alone, assertion, resource="http://elsewhere.example"), 400, "invalid_target")
    assert hand_in(alone, assertion).status_code == 200


@pytest.mark.parametrize("assertion", [None, "", "garbage", "a.b.c", "x" * 8_900])
def test_what_is_no_assertion(alone: Alone, assertion: str | None) -> None:
    refused(hand_in(alone, assertion), 400, "invalid_grant" if assertion else "invalid_request")


def test_our_own_tokens_are_no_assertions(alone: Alone) -> None:
    tokens = alone.tokens()
    for name in ("access_token", "id_token", "refresh_token"):
        refused(hand_in(alone, tokens[name]), 400, "invalid_grant")


def test_somebody_who_left_gets_nothing(alone: Alone, word: Any, ask: Ask) -> None:
    ask("PUT", "/users/alice", {"active": False})
    refused(hand_in(alone, word()), 400, "invalid_grant")


def test_only_a_client_that_may(alone: Alone, word: Any) -> None:
    refused(hand_in(alone, word(), client_id="ui"), 400, "unauthorized_client")


def test_the_partner_trusts_nobody(alone: Alone, word: Any, ask: Ask) -> None:
    ask("PUT", "/clients/cli", {"grants": [GRANT]}, tenant="partner")
    form = {"grant_type": GRANT, "client_id": "cli", "assertion": word(aud=PARTNER), "resource": ALONE.ticketing}
    refused(alone.http.post("/t/partner/token", data=form), 400, "invalid_grant")


def test_a_key_that_was_rotated_out_is_believed_while_it_is_published(alone: Alone, word: Any, ask: Ask) -> None:
    assertion = word()
    ask("POST", "/keys/rotate", {}, tenant="partner")
    assert hand_in(alone, assertion).status_code == 200
    hidden = word()
    kid = json.loads(jwt.utils.base64url_decode(hidden.split(".")[0]))["kid"]
    ask("POST", f"/keys/{kid}/hide", tenant="partner")
    refused(hand_in(alone, hidden), 400, "invalid_grant")


def test_an_address_that_two_people_have_is_nobodys(alone: Alone, word: Any, ask: Ask) -> None:
    ask("PUT", "/users/double", {"email": "alice@acme.example"})
    refused(hand_in(alone, word()), 400, "invalid_grant")


def test_whom_to_believe_can_be_changed_at_run_time(alone: Alone, word: Any, ask: Ask) -> None:
    stranger = Signer("https://login.example", ALONE.idp)
    assertion = stranger.assertion(at=alone.seconds, preferred_username="alice")
    refused(hand_in(alone, assertion), 400, "invalid_grant")
    entry = {"issuer": stranger.name, "jwks": stranger.jwks, "subject": "username"}
    assert ask("PUT", "/issuers", entry).json() == entry | {"tenant": None}
    assert hand_in(alone, assertion).status_code == 200
    known = [each["issuer"] for each in ask("GET", "/issuers").json()["issuers"]]
    assert known == [PARTNER, stranger.name]
    for issuer in known:
        assert ask("DELETE", "/issuers", issuer=issuer).status_code == 204
    refused(hand_in(alone, word()), 400, "invalid_grant")
    assert ask("PUT", "/issuers", {"tenant": "partner"}).json()["issuer"] == PARTNER
    assert hand_in(alone, word()).status_code == 200
    ask("POST", "/reset", {})
    assert [each["issuer"] for each in ask("GET", "/issuers").json()["issuers"]] == [PARTNER]


@pytest.mark.parametrize(
    ("entry", "status"),
    [
        ({"tenant": "moon"}, 404),
        ({"tenant": ["partner"]}, 400),
        ({"issuer": "https://x.example"}, 400),
        ({"issuer": "https://x.example", "jwks": {"keys": "some"}}, 400),
        ({"tenant": "partner", "subject": "phone"}, 400),
    ],
)
def test_trust_at_run_time_that_is_not_well_formed(alone: Alone, ask: Ask, entry: Changes, status: int) -> None:
    assert ask("PUT", "/issuers", entry).status_code == status
    assert ask("DELETE", "/issuers", issuer="https://x.example").status_code == 404


@pytest.mark.parametrize("subject", ["sub", "username"])
def test_an_issuer_may_be_known_by_its_keys_and_people_by_another_claim(
    living: Living, monkeypatch: pytest.MonkeyPatch, tmp_path: Any, subject: str
) -> None:
    private = ec.generate_private_key(ec.SECP256R1())
    public = jwt.get_algorithm_by_name("ES256").to_jwk(private.public_key(), as_dict=True)
    person = {"sub": "usr_w", "username": "wanda", "name": "Wanda", "email": "w@w.example", "role": "agent"}
    registry = {
        "resources": {"ticketing": {"uri": ALONE.ticketing, "name": "T", "scopes": ["tickets:read"]}},
        "scopes": {"tickets:read": "Read tickets"},
        "clients": {"cli": {"name": "CLI", "grants": [GRANT], "resources": ["ticketing"]}},
        "users": [person | {"org_id": "org_w", "org_name": "W"}],
        "issuers": {"there": {"issuer": "https://there.example", "subject": subject, "jwks": {"keys": [public]}}},
    }
    (tmp_path / "registry.yaml").write_text(json.dumps(registry), encoding="utf-8")
    monkeypatch.setenv("IDP_REGISTRY", str(tmp_path / "registry.yaml"))
    with living() as alone:
        told: Changes = {
            "iss": "https://there.example",
            "sub": "usr_w",
            "preferred_username": "wanda",
            "aud": ALONE.idp,
        }
        told |= {"jti": "1", "exp": int(alone.seconds) + 60}
        answer = hand_in(alone, jwt.encode(told, private, algorithm="ES256"))
        assert claims(answer.json()["access_token"])["sub"] == "usr_w"
        other = jwt.encode(told | {"jti": "2"}, ec.generate_private_key(ec.SECP256R1()), algorithm="ES256")
        refused(hand_in(alone, other), 400, "invalid_grant")


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"issuer": "https://there.example"}, "either jwks or the name of a tenant"),
        ({"tenant": "", "jwks": {"keys": [PUBLIC]}}, "either jwks or the name of a tenant"),
        ({"issuer": "https://there.example", "jwks": {}}, "a list of keys"),
        ({"issuer": "https://there.example", "jwks": {"keys": [PRIVATE]}}, "a private key"),
        ({"tenant": "moon"}, "trusts tenant 'moon', which there is not"),
        ({"tenant": "", "subject": "phone"}, "subject"),
    ],
)
def test_trust_that_is_not_well_formed_is_told_at_the_start(
    living: Living, monkeypatch: pytest.MonkeyPatch, tmp_path: Any, *, entry: Changes, said: str
) -> None:
    registry = {"resources": {}, "scopes": {}, "clients": {}, "issuers": {"x": entry}}
    (tmp_path / "registry.yaml").write_text(json.dumps(registry), encoding="utf-8")
    monkeypatch.setenv("IDP_REGISTRY", str(tmp_path / "registry.yaml"))
    with pytest.raises(ValueError, match=said), living():
        pass
