"""People of several organizations: a token is about one, which the parameter ``organization`` chooses."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

import pytest

from scenarios.services.idp import devices
from scenarios.services.idp.conftest import ALONE, Alone, Ask, Living, claims, refused, told
from services.idp.app import create_app
from services.idp.grants.exchange import MOST_ACTORS
from services.idp.registry import Client as Registered
from services.idp.tokens import MOST_ANCESTORS


def of(alone: Alone, slug: str) -> str:
    """The id of an organization."""
    found = alone.provider.registry.membership(slug)
    assert found is not None
    return found.org_id


def about(token: str) -> tuple[Any, Any]:
    """What a token is about, and the role it says."""
    told = claims(token)
    return told["org_id"], told["roles"]


def signed_in(alone: Alone, **changes: str | None) -> dict[str, Any]:
    """Nora's tokens by the session of her browser, without a page."""
    answer = told(alone.authorize(alone.asked(prompt="none", **changes)))
    tokens: dict[str, Any] = alone.redeem(answer["code"]).json()
    return tokens


@pytest.fixture
def acme(alone: Alone) -> tuple[str, list[str]]:
    """What Nora is at home."""
    return of(alone, "acme"), ["agent"]


@pytest.fixture
def globex(alone: Alone) -> tuple[str, list[str]]:
    """What she is in another organization."""
    return of(alone, "globex"), ["viewer"]


Home = tuple[str, list[str]]


def test_the_first_organization_is_meant_where_none_is_named(alone: Alone, acme: Home) -> None:
    tokens = alone.tokens("nora")
    assert about(tokens["access_token"]) == acme
    assert claims(tokens["id_token"])["org_id"] == acme[0]


@pytest.mark.parametrize("by", ["slug", "id"])
def test_another_is_named_by_id_or_slug_and_everything_told_is_about_it(alone: Alone, globex: Home, by: str) -> None:
    tokens = alone.tokens("nora", organization="globex" if by == "slug" else globex[0])
    assert about(tokens["access_token"]) == globex
    assert claims(tokens["id_token"])["org_id"] == globex[0]
    assert alone.userinfo(tokens["access_token"]).json()["org_id"] == globex[0]
    seen = alone.introspect(tokens["access_token"]).json()
    assert (seen["org_id"], seen["roles"], seen["username"]) == (*globex, "nora")
    assert about(alone.exchange(tokens["access_token"]).json()["access_token"]) == globex


def test_a_refresh_keeps_it_and_does_not_lead_elsewhere(alone: Alone, acme: Home, globex: Home) -> None:
    token = alone.tokens("nora", organization="globex")["refresh_token"]
    refused(alone.refresh(token, organization="acme"), 400, "invalid_target")
    refused(alone.refresh(token, organization="nowhere"), 400, "invalid_target")
    renewed = alone.refresh(token, organization="globex").json()  # it was not used up by what was refused
    assert about(renewed["access_token"]) == globex
    again = alone.refresh(renewed["refresh_token"], organization=globex[0]).json()
    assert (about(again["access_token"]), claims(again["id_token"])["org_id"]) == (globex, globex[0])
    assert about(alone.tokens("nora", organization="acme")["access_token"]) == acme


def test_a_code_is_for_the_organization_that_was_asked_for(alone: Alone, globex: Home) -> None:
    for named in ("acme", "nowhere"):
        code = alone.sign_in("nora", alone.asked(organization="globex"))["code"]
        refused(alone.redeem(code, organization=named), 400, "invalid_target")
    code = alone.sign_in("nora", alone.asked(organization="globex"))["code"]
    assert about(alone.redeem(code, organization=globex[0]).json()["access_token"]) == globex


@pytest.mark.parametrize(
    "organization", ["initech", "org_aaaaaaaaaaaaaaaa", "umbra", "Globex", "globex ", "' or 1=1 --"]
)
def test_an_organization_of_others_and_none_at_all_are_refused_alike(alone: Alone, organization: str) -> None:
    alone.sign_in("nora")
    for prompt in ("none", None):
        answer = told(alone.authorize(alone.asked(prompt=prompt, organization=organization)))
        assert (answer["error"], answer["state"], answer["iss"]) == ("access_denied", "the state", ALONE.idp)
        assert answer["error_description"] == "the person is not an active member of the organization"


@pytest.mark.parametrize("organization", ["org_aaaaaaaaaaaaaaaa", "umbra"])
def test_no_page_is_shown_where_nobody_could_be_chosen(alone: Alone, organization: str) -> None:
    assert told(alone.authorize(alone.asked(organization=organization)))["error"] == "access_denied"
    silent = alone.asked(prompt="none", organization=organization)
    assert told(alone.authorize(silent))["error"] == "login_required"


def test_a_parameter_given_twice_is_refused(alone: Alone) -> None:
    twice = "&organization=acme&organization=globex"
    query = "&".join(
        f"{name}={value}"
        for name, value in alone.http.build_request("GET", "/", params=alone.asked()).url.params.items()
    ).replace(" ", "%20")
    assert told(alone.authorize(query + twice))["error"] == "invalid_request"
    token = alone.tokens("nora")["refresh_token"]
    form = f"grant_type=refresh_token&client_id=cli&refresh_token={token}{twice}"
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    for path in ("/token", "/device_authorization", "/par"):
        refused(alone.http.post(path, content=form, headers=kind), 400, "invalid_request")


def test_the_page_lists_people_in_each_of_their_organizations(alone: Alone, acme: Home, globex: Home) -> None:
    begun = alone.authorize(alone.asked())
    sections = re.findall(r"<section.*?</section>", alone.http.get(begun.headers["location"]).text, re.DOTALL)
    chosen = {}
    for section in (each for each in sections if "Nora Fischer" in each):
        form = devices.Fields(section).values | {"username": "nora"}
        chosen[form["organization"]] = about(
            alone.redeem(told(alone.post("/login", form))["code"]).json()["access_token"]
        )
    assert chosen == {acme[0]: acme, globex[0]: globex}


def test_the_page_lists_nobody_of_other_organizations_than_the_one_asked_for(alone: Alone) -> None:
    begun = alone.authorize(alone.asked(organization="globex"))
    text = alone.http.get(begun.headers["location"]).text
    assert ("Grace Muriuki" in text, "Nora Fischer" in text, "Rita Sørensen" in text) == (True, True, False)
    assert told(alone.pick("rita", begun))["error"] == "access_denied"


@pytest.mark.parametrize("organization", ["acme", "initech", "org_aaaaaaaaaaaaaaaa", "x" * 10_000])
def test_a_form_leads_nowhere_else_than_the_request(alone: Alone, organization: str) -> None:
    begun = alone.authorize(alone.asked(organization="globex"))
    form = {"interaction": told(begun)["interaction"], "username": "nora", "organization": organization}
    assert told(alone.post("/login", form))["error"] == "access_denied"


def test_a_session_stays_in_the_organization_it_was_begun_in(alone: Alone, acme: Home, globex: Home) -> None:
    begun = alone.authorize(alone.asked())
    form = {"interaction": told(begun)["interaction"], "username": "nora", "organization": globex[0]}
    first = alone.redeem(told(alone.post("/login", form))["code"]).json()
    assert about(signed_in(alone)["access_token"]) == globex
    other = signed_in(alone, organization="acme")
    assert about(other["access_token"]) == acme
    assert about(signed_in(alone)["access_token"]) == globex
    assert {claims(each["id_token"])["sid"] for each in (first, other)} == {claims(first["id_token"])["sid"]}
    assert about(alone.refresh(first["refresh_token"]).json()["access_token"]) == globex


def test_who_signs_in_to_another_organization_stays_signed_in(alone: Alone, globex: Home) -> None:
    before = alone.tokens("nora")
    after = alone.tokens("nora", organization="globex")
    assert claims(before["id_token"])["sid"] == claims(after["id_token"])["sid"]
    assert alone.userinfo(before["access_token"]).status_code == 200
    assert about(signed_in(alone)["access_token"]) == globex


def test_a_pushed_request_names_it_and_the_browser_cannot(alone: Alone, globex: Home) -> None:
    alone.sign_in("nora")
    request_uri = alone.post("/par", alone.asked(organization="globex")).json()["request_uri"]
    asked = {"client_id": "cli", "request_uri": request_uri, "organization": "acme"}
    assert about(alone.redeem(told(alone.authorize(asked))["code"]).json()["access_token"]) == globex


def test_a_device_is_let_in_to_the_organization_it_asks_for(alone: Alone, globex: Home) -> None:
    shown = devices.begin(alone, organization="globex")
    alone.sign_in("nora")
    question = devices.enter(alone, shown["user_code"])
    assert "(Viewer, <bdi>Globex</bdi>)" in question.text
    assert devices.back(alone, devices.decide(alone, question)).status_code == 200
    refused(devices.poll(alone, shown["device_code"], organization="acme"), 400, "invalid_target")


def test_a_device_has_the_token_of_the_organization_it_asks_for(alone: Alone, globex: Home) -> None:
    shown = devices.begin(alone, organization="globex")
    devices.let_in(alone, shown["user_code"], "nora")
    assert about(devices.poll(alone, shown["device_code"]).json()["access_token"]) == globex


def test_who_is_not_in_the_organization_of_a_device_signs_in_as_somebody_who_is(alone: Alone, globex: Home) -> None:
    alone.sign_in("rita")
    shown = devices.begin(alone, organization="globex")
    question = devices.enter(alone, shown["user_code"])
    assert "Rita" not in question.text
    devices.back(alone, alone.pick("nora", devices.decide(alone, question)))
    assert about(devices.poll(alone, shown["device_code"]).json()["access_token"]) == globex


def test_a_device_that_asks_for_no_organization_there_is_gets_nothing(alone: Alone) -> None:
    shown = devices.begin(alone, organization="nowhere")
    devices.back(alone, devices.decide(alone, devices.enter(alone, shown["user_code"])))
    refused(devices.poll(alone, shown["device_code"]), 400, "access_denied")


SWITCH = {"resource": ALONE.api}


def test_the_api_exchanges_a_token_for_one_about_another_organization(alone: Alone, acme: Home, globex: Home) -> None:
    before = alone.tokens("nora")["access_token"]
    alone.seconds += 100
    answer = alone.exchange(before, organization="globex", **SWITCH).json()
    after, old = claims(answer["access_token"]), claims(before)
    assert about(answer["access_token"]) == globex
    assert {name: after[name] for name in ("sub", "aud", "scope", "exp")} == {
        name: old[name] for name in ("sub", "aud", "scope", "exp")
    }
    assert (after["act"], answer["expires_in"] <= 500) == ({"sub": "api"}, True)
    assert about(before) == acme  # which is as good as before
    assert about(alone.exchange(before).json()["access_token"]) == acme
    assert about(alone.exchange(answer["access_token"]).json()["access_token"]) == globex


def test_to_and_fro_is_possible_all_the_time_and_ends_with_the_sign_in(alone: Alone, acme: Home, globex: Home) -> None:
    first = token = alone.tokens("nora")["access_token"]
    for _ in range(MOST_ACTORS + 1):
        for slug, there in (("globex", globex), ("acme", acme)):
            token = alone.exchange(token, organization=slug, **SWITCH).json()["access_token"]
            assert (about(token), claims(token)["act"]) == (there, {"sub": "api"})
    alone.revoke(first)
    refused(alone.exchange(token, organization="globex", **SWITCH), 400, "invalid_request")


def test_going_to_and_fro_makes_no_token_longer_and_each_ends_with_those_before_it(alone: Alone) -> None:
    """Every switch used to add to ``jti``, until the token was too long to be read; the 321st was refused."""
    tokens = [alone.tokens("nora")["access_token"]]
    for number in range(3 * MOST_ANCESTORS):
        slug = ("globex", "acme")[number % 2]
        tokens.append(alone.exchange(tokens[-1], organization=slug, **SWITCH).json()["access_token"])
    lengths = [len(claims(token)["jti"]) for token in tokens]
    assert lengths[MOST_ANCESTORS - 1 :] == [max(lengths)] * (2 * MOST_ANCESTORS + 2)
    here = alone.exchange(tokens[-1]).json()["access_token"]
    assert claims(here)["jti"].startswith(claims(tokens[-1])["jti"])
    as_api = ("api", quote_plus(alone.api_secret))
    assert alone.post("/revoke", {"token": tokens[1]}, auth=as_api).status_code == 200
    for token in tokens[1:]:
        refused(alone.exchange(token), 400, "invalid_request")
    assert alone.exchange(tokens[0]).status_code == 200


@pytest.mark.parametrize("organization", ["initech", "umbra", "org_aaaaaaaaaaaaaaaa", "Globex", "x" * 10_000])
def test_no_token_is_exchanged_for_one_about_an_organization_of_others(alone: Alone, organization: str) -> None:
    token = alone.tokens("nora")["access_token"]
    for resource in (ALONE.api, ALONE.ticketing):
        answer = alone.exchange(token, organization=organization, resource=resource)
        assert refused(answer, 400, "invalid_target") == "the person is not a member of the organization"


def test_who_is_a_member_and_not_an_active_one_is_told_so(ask: Ask, alone: Alone) -> None:
    token = alone.tokens("nora")["access_token"]
    ask("PUT", "/users/nora/memberships/globex", {"active": False})
    refused(alone.exchange(token, organization="globex", **SWITCH), 400, "access_denied")
    ask("PUT", "/users/nora/memberships/umbra", {"role": "owner", "active": False})
    refused(alone.exchange(token, organization="umbra", **SWITCH), 400, "access_denied")


def test_only_who_may_exchanges_for_another_organization(alone: Alone, acme: Home) -> None:
    clients, token = alone.provider.registry.clients, alone.tokens("nora")["access_token"]
    clients.put("api", clients["api"].model_copy(update={"switches": False}))
    refused(alone.exchange(token, organization="globex", **SWITCH), 400, "unauthorized_client")
    assert about(alone.exchange(token, organization="acme").json()["access_token"]) == acme


def test_a_machine_is_in_no_organization(ask: Ask, alone: Alone) -> None:
    token = ask("POST", "/mint", {"machine": True, "client": "organizations", "audience": "api"}).json()["token"]
    refused(alone.exchange(token, organization="acme"), 400, "invalid_request")


def test_leaving_one_organization_ends_what_was_granted_there_and_nothing_else(
    ask: Ask, alone: Alone, acme: Home, globex: Home
) -> None:
    here, there = alone.tokens("nora"), alone.tokens("nora", organization="globex")
    switched = alone.exchange(here["access_token"], organization="globex", **SWITCH).json()["access_token"]
    code = alone.sign_in("nora", alone.asked(organization="globex"))["code"]
    open_page = alone.authorize(alone.asked(prompt="login", organization="globex"))
    ask("PUT", "/users/nora/memberships/globex", {"active": False})
    for token in (there["access_token"], switched):
        assert alone.userinfo(token).status_code == 401
        assert alone.introspect(token).json() == {"active": False}
        refused(alone.exchange(token), 400, "invalid_request")
        refused(alone.exchange(token, organization="acme", **SWITCH), 400, "invalid_request")
    refused(alone.refresh(there["refresh_token"]), 400, "invalid_grant")
    refused(alone.redeem(code), 400, "invalid_grant")
    assert told(alone.pick("nora", open_page))["error"] == "access_denied"
    assert alone.userinfo(here["access_token"]).status_code == 200
    assert about(alone.refresh(here["refresh_token"]).json()["access_token"]) == acme
    assert about(signed_in(alone)["access_token"]) == acme  # the session was begun in the other one, and goes on
    assert told(alone.authorize(alone.asked(prompt="none", organization="globex")))["error"] == "access_denied"
    ask("PUT", "/users/nora/memberships/globex", {"active": True})
    refused(alone.refresh(there["refresh_token"]), 400, "invalid_grant")
    assert about(signed_in(alone, organization="globex")["access_token"]) == globex


def test_a_role_changes_in_one_organization_only(ask: Ask, alone: Alone, globex: Home) -> None:
    here, there = alone.tokens("nora"), alone.tokens("nora", organization="globex")
    ask("PUT", "/users/nora/memberships/acme", {"role": "viewer"})
    assert claims(alone.refresh(here["refresh_token"]).json()["access_token"])["roles"] == ["viewer"]
    ask("PUT", "/users/nora/memberships/globex", {"role": "admin"})
    assert claims(alone.refresh(there["refresh_token"]).json()["access_token"])["roles"] == ["admin"]
    assert alone.userinfo(here["access_token"]).status_code == 200


def test_an_account_is_deactivated_as_a_whole(ask: Ask, alone: Alone, acme: Home) -> None:
    here, there = alone.tokens("nora"), alone.tokens("nora", organization="globex")
    ask("PUT", "/users/nora", {"active": False})
    for tokens in (here, there):
        assert alone.userinfo(tokens["access_token"]).status_code == 401
        refused(alone.refresh(tokens["refresh_token"]), 400, "invalid_grant")
    assert told(alone.authorize(alone.asked(prompt="none")))["error"] == "login_required"
    ask("PUT", "/users/nora", {"active": True})
    assert about(alone.tokens("nora")["access_token"]) == acme


def test_the_first_active_one_is_meant_once_the_first_is_left(ask: Ask, alone: Alone, globex: Home) -> None:
    ask("PUT", "/users/nora/memberships/acme", {"active": False})
    assert about(alone.tokens("nora")["access_token"]) == globex


def test_a_token_that_says_another_organization_is_worth_nothing(ask: Ask, alone: Alone) -> None:
    for org_id in (of(alone, "initech"), "org_elsewhere", "globex"):
        wanted = {"user": "nora", "claims": {"org_id": org_id}, "scopes": ["openid"]}
        token = ask("POST", "/mint", wanted).json()["token"]
        assert alone.userinfo(token).status_code == 401
        refused(alone.exchange(token, organization="acme", **SWITCH), 400, "invalid_request")


def test_consent_is_given_for_one_organization_and_goes_with_it(ask: Ask, alone: Alone) -> None:
    stranger = Registered(
        id="stranger",
        name="Stranger",
        grants=frozenset({"authorization_code"}),
        resources=frozenset({ALONE.api}),
        redirect_uris=frozenset({"http://127.0.0.1:9/back"}),
        consent=True,
    )
    alone.provider.registry.clients.put(stranger.id, stranger)
    asked = alone.asked(client_id="stranger", redirect_uri="http://127.0.0.1:9/back", scope="tickets:read")
    question = alone.pick("nora", alone.authorize(asked)).headers["location"]
    assert "(Agent, <bdi>Acme Corporation</bdi>)" in alone.http.get(question).text
    assert "code" in told(alone.answer(question))
    assert "code" in told(alone.authorize(asked | {"prompt": "none"}))
    elsewhere = asked | {"organization": "globex"}
    assert told(alone.authorize(elsewhere | {"prompt": "none"}))["error"] == "consent_required"
    question = alone.authorize(elsewhere).headers["location"]
    assert "(Viewer, <bdi>Globex</bdi>)" in alone.http.get(question).text
    assert "code" in told(alone.answer(question))
    for active in (False, True):
        ask("PUT", "/users/nora/memberships/globex", {"active": active})
    assert told(alone.authorize(elsewhere | {"prompt": "none"}))["error"] == "consent_required"
    assert "code" in told(alone.authorize(asked | {"organization": "acme", "prompt": "none"}))


def test_who_has_left_while_asked_for_consent_is_told_so(ask: Ask, alone: Alone) -> None:
    alone.sign_in("nora")
    begun = alone.authorize(alone.asked(prompt="consent", organization="globex")).headers["location"]
    ask("PUT", "/users/nora/memberships/globex", {"active": False})
    for response in (alone.http.get(begun), alone.answer(begun)):
        assert (response.status_code, "location" in response.headers) == (400, False)
        assert "Not a member any more" in response.text


def test_sessions_and_grants_keep_their_organization_over_a_restart(
    living: Living, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IDP_DATABASE_URL", f"sqlite:///{tmp_path / 'idp.db'}")
    with living(create_app()) as alone:
        token = alone.tokens("nora", organization="globex")["refresh_token"]
        cookies = dict(alone.http.cookies)
    with living(create_app()) as alone:
        alone.has_cookies(cookies)
        there = of(alone, "globex"), ["viewer"]
        assert about(alone.refresh(token).json()["access_token"]) == there
        assert about(signed_in(alone)["access_token"]) == there
