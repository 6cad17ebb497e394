"""Going on in another of one's organizations: who may, what comes of it, and what does not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from typing import TYPE_CHECKING, Any

import httpx
import jwt
import pytest

from harness import launch
from harness.code_flow import tls
from scenarios.services.api.answers import refused
from scenarios.services.processes import kill

if TYPE_CHECKING:
    from pathlib import Path

    from harness.person import Person
    from harness.stack import Stack

AsUser = Callable[..., "Person"]
Member = Callable[[str], "Person"]
PLACE = "/api/session/organization"


def claims(token: str) -> dict[str, Any]:
    return dict(jwt.decode(token, options={"verify_signature": False}))


def mine(api: httpx.Client) -> dict[str, dict[str, Any]]:
    """The caller's memberships by the slug of the organization."""
    return {each["organization"]["slug"]: each for each in api.get("/api/organizations").json()["items"]}


def switch(api: httpx.Client, organization_id: str) -> httpx.Response:
    return api.post(PLACE, json={"organizationId": organization_id})


Bearing = Callable[[str], httpx.Client]


@pytest.fixture
def bearing(request: pytest.FixtureRequest) -> Iterator[Bearing]:
    """``bearing(token)``: the API for whoever has that token."""
    stack = request.getfixturevalue("stack" if "stack" in request.fixturenames else "shared_stack")
    opened: list[httpx.Client] = []

    def client(token: str) -> httpx.Client:
        headers = {"Authorization": f"Bearer {token}"}
        opened.append(httpx.Client(base_url=stack.url("api"), headers=headers, verify=tls(), timeout=30))
        return opened[-1]

    yield client
    for each in opened:
        each.close()


def test_nora_goes_on_in_her_other_organization(member: Member, bearing: Bearing) -> None:
    nora = member("nora")
    here = mine(nora.api)
    assert {slug for slug, each in here.items() if each["current"]} == {"acme"}
    answer = switch(nora.api, here["globex"]["organization"]["id"])
    assert answer.status_code == 200, answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    told = answer.json()
    assert told.keys() == {"accessToken", "tokenType", "expiresIn", "scope", "organization"}
    assert (told["tokenType"], told["organization"]) == ("Bearer", here["globex"]["organization"])

    before, after = claims(nora.token("api")), claims(told["accessToken"])
    assert {name: after[name] for name in ("iss", "sub", "aud", "scope")} == {
        name: before[name] for name in ("iss", "sub", "aud", "scope")
    }
    assert after["exp"] <= before["exp"]
    assert (set(told["scope"].split()), 0 < told["expiresIn"] <= 600) == (set(before["scope"].split()), True)
    assert (after["org_id"], after["roles"]) == (here["globex"]["organization"]["id"], ["viewer"])

    there = bearing(told["accessToken"])
    assert {slug for slug, each in mine(there).items() if each["current"]} == {"globex"}
    me = there.get("/api/me").json()
    assert (me["id"], me["role"], me["organization"]["slug"]) == (before["sub"], "viewer", "globex")
    keys = {ticket["key"].partition("-")[0] for ticket in there.get("/api/tickets?limit=100").json()["items"]}
    assert keys == {"GLBX"}
    refused(there.get("/api/tickets/ACME-1"), 404, "not_found")
    refused(there.post("/api/tickets", json={"title": "As a viewer"}), 403, "forbidden")
    assert nora.api.get("/api/tickets/ACME-1").status_code == 200  # the old token stays what it was


def test_and_back_again_as_often_as_she_likes(member: Member, bearing: Bearing) -> None:
    api = member("nora").api
    ids = {slug: each["organization"]["id"] for slug, each in mine(api).items()}
    for slug in ("globex", "acme") * 4:
        api = bearing(switch(api, ids[slug]).json()["accessToken"])
    assert api.get("/api/me").json()["organization"]["slug"] == "acme"
    assert switch(api, ids["acme"]).json()["organization"]["slug"] == "acme"  # where she is already


@pytest.mark.parametrize("whose", ["somebody else's", "suspended and somebody else's", "nobody's", "a slug"])
def test_what_is_not_hers_does_not_exist(shared_stack: Stack, member: Member, whose: str) -> None:
    ids = {each["slug"]: each["org_id"] for user in shared_stack.control("idp").users() for each in user["memberships"]}
    wanted = {
        "somebody else's": ids["initech"],
        "suspended and somebody else's": ids["umbra"],
        "nobody's": "org_aaaaaaaaaaaaaaaa",
        "a slug": "globex",
    }[whose]
    problem = refused(switch(member("nora").api, wanted), 404, "not_found")
    assert problem["detail"] == "The caller is not a member of such an organization."


@pytest.mark.parametrize("body", [{}, {"organizationId": ""}, {"organizationId": 1}, {"organizationId": "a b"}])
def test_a_body_that_names_none_is_invalid(member: Member, body: dict[str, Any]) -> None:
    problem = refused(member("nora").api.post(PLACE, json=body), 422, "invalid")
    assert [flaw["pointer"] for flaw in problem["errors"]] == ["body.organizationId"]


def test_a_token_that_may_not_read_organizations_is_told_which_scope_is_missing(
    member: Member, bearing: Bearing
) -> None:
    answer = switch(bearing(member("nora").token("api", scope="openid tickets:read")), "org_aaaaaaaaaaaaaaaa")
    refused(answer, 403, "insufficient_scope")
    assert 'scope="orgs:read"' in answer.headers["WWW-Authenticate"]


def test_who_was_deactivated_there_is_told_so_and_goes_on_here(stack: Stack, as_user: AsUser, bearing: Bearing) -> None:
    nora, gustav = as_user("nora"), as_user("gustav")
    globex = mine(nora.api)["globex"]["organization"]["id"]
    there = bearing(switch(nora.api, globex).json()["accessToken"])
    assert there.get("/api/me").status_code == 200
    me = nora.api.get("/api/me").json()["id"]
    assert gustav.api.post(f"/api/members/{me}/deactivation").status_code == 200

    problem = refused(switch(nora.api, globex), 403, "forbidden")
    assert problem["detail"] == "The caller is not an active member of the organization."
    assert nora.api.get("/api/me").json()["organization"]["slug"] == "acme"
    refused(switch(there, globex), 401, "unauthenticated")
    refused(there.get("/api/me"), 403, "forbidden")
    # Not even by what the api has kept of before: an exchange made anew is refused.
    assert stack.control("idp").requests(client_id="api", status="400")


def test_who_is_invited_there_is_told_so(as_user: AsUser, stack: Stack) -> None:
    nora, gustav = as_user("nora"), as_user("gustav")
    globex, me = mine(nora.api)["globex"]["organization"]["id"], nora.api.get("/api/me").json()
    gustav.api.post(f"/api/members/{me['id']}/deactivation")
    assert gustav.api.post("/api/members", json={"email": me["email"], "role": "agent"}).status_code == 201
    problem = refused(switch(nora.api, globex), 403, "forbidden")
    assert "is invited to Globex and has not accepted yet" in problem["detail"]

    stack.control("idp").put_membership("nora", "globex", active=True)  # as by the link in a mail
    refused(switch(nora.api, globex), 403, "forbidden")
    accepted = as_user("nora", organization="globex").api.post("/api/organizations/current/acceptance")
    assert accepted.json()["status"] == "active"
    assert claims(switch(nora.api, globex).json()["accessToken"])["roles"] == ["agent"]


WITH_A_SUSPENDED_ONE = """
extends: base
organizations:
  - slug: umbra
    people:
      - {username: ulla, name: Ulla Holm, role: owner}
      - {username: nora, home: acme, role: admin}
    tickets: []
    tickets_in_all: 0
    people_in_all: 0
    teams: []
"""


def test_one_that_is_suspended_is_told_of(tmp_path: Path) -> None:
    world = tmp_path / "suspended.yaml"
    world.write_text(WITH_A_SUSPENDED_ONE, encoding="utf-8")
    with (
        launch.running(world=str(world), only=("api",)) as stack,
        closing(stack.sign_in("nora")) as nora,
    ):
        umbra = mine(nora.api)["umbra"]
        assert umbra["organizationStatus"] == "suspended"
        problem = refused(switch(nora.api, umbra["organization"]["id"]), 403, "forbidden")
        assert "is suspended" in problem["detail"]


def test_what_only_the_provider_knows_of_is_no_membership(stack: Stack, as_user: AsUser) -> None:
    idp = stack.control("idp")
    initech = idp.put_membership("nora", "initech", role="owner")["memberships"][-1]["org_id"]
    refused(switch(as_user("nora").api, initech), 404, "not_found")


def test_a_role_that_changed_meanwhile_is_in_the_new_token(stack: Stack, as_user: AsUser) -> None:
    nora = as_user("nora")
    globex = mine(nora.api)["globex"]["organization"]["id"]
    stack.control("idp").put_membership("nora", "globex", role="agent")
    assert claims(switch(nora.api, globex).json()["accessToken"])["roles"] == ["agent"]
    assert claims(nora.token("api"))["roles"] == ["agent"]


def test_a_new_token_ends_with_the_sign_in(stack: Stack, as_user: AsUser, bearing: Bearing) -> None:
    nora = as_user("nora")
    new = switch(nora.api, mine(nora.api)["globex"]["organization"]["id"]).json()["accessToken"]
    there = bearing(new)
    with httpx.Client(base_url=stack.url("idp"), verify=tls()) as http:
        http.post("/revoke", data={"client_id": "cli", "token": nora.token("api")})
    refused(there.get("/api/me"), 401, "unauthenticated")


@pytest.mark.destructive
def test_while_the_provider_is_away_it_is_told_so(stack: Stack, as_user: AsUser) -> None:
    nora = as_user("nora")
    globex = mine(nora.api)["globex"]["organization"]["id"]
    kill(stack, "idp")
    refused(switch(nora.api, globex), 503, "unavailable")
    stack.restart("idp")
