"""Reading people, and who may: RFC 7643, RFC 7644 §3.4, §4, RFC 6750."""

from __future__ import annotations

from typing import Any

import pytest

from scenarios.services.idp.conftest import ALONE, Alone
from scenarios.services.idp.scim.conftest import BASE, Directory, failed

USER = "urn:ietf:params:scim:schemas:core:2.0:User"


def test_a_person_is_told_in_the_core_schema(directory: Directory) -> None:
    rita = directory.person("rita")
    response = directory.ask("GET", f"/Users/{rita.sub}")
    told = response.json()
    meta = told.pop("meta")
    assert told == {
        "schemas": [USER],
        "id": rita.sub,
        "userName": "rita",
        "displayName": "Rita Sørensen",
        "name": {"formatted": "Rita Sørensen"},
        "emails": [{"value": "rita@acme.example", "type": "work", "primary": True}],
        "roles": [{"value": "requester", "type": rita.memberships[0].org_id, "primary": True, "active": True}],
        "active": True,
    }
    assert (meta["resourceType"], meta["location"]) == ("User", f"{BASE}/Users/{rita.sub}")
    assert response.headers["content-type"] == "application/scim+json"
    assert (response.headers["etag"], response.headers["location"]) == (meta["version"], meta["location"])


def names(answer: dict[str, Any]) -> list[str]:
    return [each["userName"] for each in answer["Resources"]]


@pytest.mark.parametrize(
    ("filter_", "found"),
    [
        ('userName eq "rita"', ["rita"]),
        ('USERNAME EQ "RITA"', ["rita"]),
        ('userName eq "nobody"', []),
        ('id eq "{rita}"', ["rita"]),
        ('id eq "{RITA}"', []),
        ('emails.value eq "Rita@acme.example"', ["rita"]),
        ('emails eq "rita@acme.example"', ["rita"]),
        ('displayName eq "rita sørensen"', ["rita"]),
        ('name.formatted eq "Rita S\\u00f8rensen"', ["rita"]),
        ('userName eq "rita" and active eq true', ["rita"]),
        ('userName eq "rita" AND active eq false', []),
        ('active eq "true"', []),
        ('userName eq "\\""', []),
        ("displayName eq null", []),
        ('userName eq "x\' or 1=1 --"', []),
    ],
)
def test_people_are_found_by_what_they_are(directory: Directory, filter_: str, found: list[str]) -> None:
    rita = directory.person("rita").sub
    wanted = filter_.replace("{rita}", rita).replace("{RITA}", rita.upper())
    response = directory.alone.http.get(
        "/scim/v2/Users", params={"filter": wanted}, headers={"Authorization": f"Bearer {directory.token}"}
    )
    assert response.status_code == 200, response.text
    assert (names(response.json()), response.json()["totalResults"]) == (found, len(found))


@pytest.mark.parametrize(
    "filter_",
    [
        "userName",
        'userName co "r"',
        'userName eq "rita" or active eq true',
        'not (userName eq "rita")',
        'userName eq "rita" and',
        'userName eq "rita" andactive eq true',
        'userName eq "rita',
        "userName eq rita",
        "userName eq 'rita'",
        'password eq "x"',
        'emails.street eq "x"',
        'userName.x eq "x"',
        'userName eq "\\x"',
        "(" * 500,
        "a" * 5000 + ' eq "x"',
    ],
)
def test_another_filter_is_refused_and_not_guessed(directory: Directory, filter_: str) -> None:
    response = directory.alone.http.get(
        "/scim/v2/Users", params={"filter": filter_}, headers={"Authorization": f"Bearer {directory.token}"}
    )
    failed(response, 400, "invalidFilter")


def test_all_are_listed_page_by_page(directory: Directory) -> None:
    everybody = directory.ask("GET", "/Users").json()
    assert everybody["totalResults"] == everybody["itemsPerPage"] == len(everybody["Resources"]) == 76
    seen: list[str] = []
    for first in (1, 31, 61, 91):
        page = directory.ask("GET", f"/Users?startIndex={first}&count=30").json()
        assert (page["totalResults"], page["startIndex"]) == (76, first)
        assert page["itemsPerPage"] == len(page["Resources"])
        seen += names(page)
    assert seen == names(everybody)
    assert len(set(seen)) == 76


@pytest.mark.parametrize(
    ("query", "many", "first"),
    [("count=0", 0, 1), ("count=-3", 0, 1), ("startIndex=0&count=1", 1, 1), ("startIndex=-9&count=1", 1, 1)],
)
def test_odd_numbers_mean_what_the_rfc_says(directory: Directory, query: str, many: int, first: int) -> None:
    page = directory.ask("GET", f"/Users?{query}").json()
    assert (len(page["Resources"]), page["startIndex"], page["totalResults"]) == (many, first, 76)


@pytest.mark.parametrize(
    "query", ["count=ten", "count=", "startIndex=1.5", "count=1&count=2", "filter=a&filter=b", "count=" + "9" * 5000]
)
def test_a_query_that_makes_no_sense_is_refused(directory: Directory, query: str) -> None:
    failed(directory.ask("GET", f"/Users?{query}"), 400, "invalidValue")


@pytest.mark.parametrize("user_id", ["usr_nobody", "x" * 5000, "%00"])
def test_nobody_is_not_found(directory: Directory, user_id: str) -> None:
    failed(directory.ask("GET", f"/Users/{user_id}"), 404)


def test_a_version_that_is_known_is_not_sent_again(directory: Directory) -> None:
    rita = directory.person("rita").sub
    version = directory.ask("GET", f"/Users/{rita}").headers["etag"]
    for known in (version, version.removeprefix("W/"), f'"other", {version}', "*"):
        response = directory.ask("GET", f"/Users/{rita}", If_None_Match=known)
        assert (response.status_code, response.content) == (304, b"")
    assert directory.ask("GET", f"/Users/{rita}", If_None_Match='W/"other"').status_code == 200


CALLS = pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/Users"), ("POST", "/Users"), ("GET", "/Users/x"), ("PATCH", "/Users/x"), ("PUT", "/Users/x")],
)


@CALLS
def test_without_a_token_only_the_scheme_is_told(directory: Directory, method: str, path: str) -> None:
    response = directory.alone.http.request(method, f"/scim/v2{path}", json={})
    failed(response, 401)
    assert response.headers["www-authenticate"] == 'Bearer, DPoP algs="ES256 EdDSA RS256"'


@CALLS
@pytest.mark.parametrize("flaw", ["garbage", "another audience", "expired", "an ID token", "another tenant", "revoked"])
def test_a_token_that_is_not_for_here_is_refused(directory: Directory, method: str, path: str, flaw: str) -> None:
    alone = directory.alone
    match flaw:
        case "another audience":
            directory.token = alone.tokens()["access_token"]
        case "an ID token":
            directory.token = alone.tokens()["id_token"]
        case "expired":
            alone.seconds += 600
        case "revoked":
            secret = ("organizations", alone.organizations_secret)
            assert alone.post("/revoke", {"token": directory.token}, auth=secret).status_code == 200
        case "garbage":
            directory.token = "x.y.z"  # noqa: S105
    place = "/t/partner/scim/v2" if flaw == "another tenant" else "/scim/v2"
    response = alone.http.request(method, place + path, json={}, headers={"Authorization": f"Bearer {directory.token}"})
    failed(response, 401)
    assert response.headers["www-authenticate"].startswith('Bearer error="invalid_token"')


def test_two_tokens_are_one_too_many(directory: Directory) -> None:
    twice = [("Authorization", f"Bearer {directory.token}")] * 2
    failed(directory.alone.http.get("/scim/v2/Users", headers=twice), 400)


@pytest.mark.parametrize(
    ("held", "method", "needed"),
    [
        ("users:read", "POST", "users:write"),
        ("users:write", "GET", "users:read"),
        ("users:read", "PATCH", "users:write"),
        ("users:read", "PUT", "users:write"),
    ],
)
def test_a_token_needs_the_scope_of_what_it_does(alone: Alone, held: str, method: str, needed: str) -> None:
    directory = Directory(alone, alone.client_credentials(scope=held).json()["access_token"])
    path = "/Users" if method == "POST" else f"/Users/{directory.person('rita').sub}"
    response = directory.ask(method, path, {})
    failed(response, 403)
    assert 'error="insufficient_scope"' in response.headers["www-authenticate"]
    assert f'scope="{needed}"' in response.headers["www-authenticate"]


def test_people_do_not_administer_people(directory: Directory) -> None:
    alone = directory.alone
    clients = alone.provider.registry.clients
    clients.put("cli", clients["cli"].model_copy(update={"resources": frozenset({BASE})}))
    directory.token = alone.tokens("olivia", resource=BASE, scope="users:read users:write")["access_token"]
    for method in ("GET", "PATCH"):
        response = directory.ask(method, f"/Users/{directory.person('rita').sub}", {})
        failed(response, 403)
        assert 'error="insufficient_scope"' in response.headers["www-authenticate"]


def test_a_tenant_has_people_of_its_own(directory: Directory) -> None:
    failed(directory.alone.http.get("/t/partner/scim/v2/Users"), 401)
    config = directory.alone.http.get("/t/partner/scim/v2/ServiceProviderConfig").json()
    assert config["meta"]["location"] == f"{ALONE.idp}/t/partner/scim/v2/ServiceProviderConfig"


def test_what_can_be_done_is_told_to_anybody(alone: Alone) -> None:
    config = alone.http.get("/scim/v2/ServiceProviderConfig").json()
    able = {name for name, each in config.items() if isinstance(each, dict) and each.get("supported")}
    assert able == {"patch", "filter", "etag"}
    types = alone.http.get("/scim/v2/ResourceTypes").json()
    assert [(each["endpoint"], each["schema"]) for each in types["Resources"]] == [("/Users", USER)]
    assert alone.http.get("/scim/v2/ResourceTypes/User").json() == types["Resources"][0]
    schemas = alone.http.get("/scim/v2/Schemas").json()
    assert alone.http.get(f"/scim/v2/Schemas/{USER}").json() == schemas["Resources"][0]
    for path in ("Schemas/urn:other", "ResourceTypes/Group", "Groups/x"):
        failed(alone.http.get(f"/scim/v2/{path}"), 404)


@pytest.mark.parametrize("path", ["ServiceProviderConfig", "ResourceTypes", "Schemas"])
def test_descriptions_are_not_filtered(alone: Alone, path: str) -> None:
    failed(alone.http.get(f"/scim/v2/{path}", params={"filter": 'id eq "x"'}), 403)


def test_the_schema_says_what_a_person_is_made_of(directory: Directory) -> None:
    (schema,) = directory.ask("GET", "/Schemas").json()["Resources"]
    described = {each["name"] for each in schema["attributes"]}
    assert described == directory.read("rita").keys() - {"schemas", "id", "meta"}


@pytest.mark.parametrize(("method", "path"), [("DELETE", "/Users/x"), ("POST", "/Users/x"), ("POST", "/Schemas")])
def test_people_are_not_removed_here(directory: Directory, method: str, path: str) -> None:
    response = directory.ask(method, path, {})
    assert response.status_code == 405
    assert "GET" in response.headers["allow"]
