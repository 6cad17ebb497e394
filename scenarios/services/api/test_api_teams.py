"""Members, teams and organizations through the REST interface."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from scenarios.services.api.answers import refused

if TYPE_CHECKING:
    from harness.person import Person
    from harness.stack import Stack

AsUser = Callable[[str], "Person"]
Member = Callable[[str], "Person"]


def known(person: Person, username: str) -> dict[str, Any]:
    """Somebody in the list of members."""
    (found,) = [m for m in person.api.get("/api/members?limit=100").json()["items"] if m["username"] == username]
    member: dict[str, Any] = found
    return member


def version(thing: dict[str, Any]) -> dict[str, str]:
    return {"If-Match": f'"{thing["version"]}"'}


def test_the_callers_organizations_are_listed_with_the_present_one(member: Member) -> None:
    api = member("alice").api
    (current,) = [each for each in api.get("/api/organizations").json()["items"] if each["current"]]
    overview = api.get("/api/organizations/current").json()
    assert current["organization"] == {name: overview[name] for name in current["organization"]}
    assert overview["memberCount"] == api.get("/api/members").json()["total"]
    assert overview["teamCount"] == api.get("/api/teams").json()["total"]


def test_a_member_is_the_one_in_the_list_and_has_a_version(member: Member) -> None:
    api = member("alice").api
    listed = known(member("alice"), "adam")
    answer = api.get(f"/api/members/{listed['id']}")
    assert answer.json() == listed
    assert answer.headers["ETag"] == f'"{listed["version"]}"'
    assert api.get(f"/api/members/{listed['id']}", headers={"If-None-Match": answer.headers["ETag"]}).status_code == 304
    foreign = api.get(f"/api/members/{known(member('grace'), 'gustav')['id']}")
    missing = api.get("/api/members/usr_nobody")
    assert refused(foreign, 404, "not_found") == refused(missing, 404, "not_found")


def test_somebody_is_invited_once_however_often_it_is_asked(stack: Stack, as_user: AsUser) -> None:
    olivia, key = as_user("olivia"), {"Idempotency-Key": "nadia"}
    wish = {"email": "nadia@example.com", "role": "agent"}
    first, again = (olivia.api.post("/api/members", json=wish, headers=key) for _ in range(2))
    assert first.status_code == 201
    assert first.text == again.text
    assert (first.json()["status"], first.json()["invitation"]["expired"]) == ("invited", False)
    assert olivia.api.get(first.headers["Location"]).json() == first.json()
    refused(as_user("alice").api.post("/api/members", json=wish), 403, "forbidden")


def test_an_owner_changes_a_role_and_whoever_read_an_older_version_does_not(stack: Stack, as_user: AsUser) -> None:
    olivia = as_user("olivia")
    rita = known(olivia, "rita")
    place = f"/api/members/{rita['id']}"
    refused(olivia.api.patch(place, json={"role": "agent"}), 428, "precondition_required")
    changed = olivia.api.patch(place, json={"role": "agent"}, headers=version(rita))
    assert (changed.status_code, changed.json()["role"]) == (200, "agent")
    assert changed.headers["ETag"] == f'"{changed.json()["version"]}"'
    refused(olivia.api.patch(place, json={"role": "viewer"}, headers=version(rita)), 412, "stale")
    assert as_user("rita").api.get("/api/me").json()["role"] == "agent"


def test_the_last_owner_stays_one(stack: Stack, as_user: AsUser) -> None:
    olivia = as_user("olivia")
    herself = known(olivia, "olivia")
    place = f"/api/members/{herself['id']}"
    refused(olivia.api.patch(place, json={"role": "agent"}, headers=version(herself)), 409, "conflict")
    refused(olivia.api.post(f"{place}/deactivation"), 409, "conflict")
    assert olivia.api.get(place).json() == herself


def test_who_is_deactivated_is_still_named_and_may_do_nothing(stack: Stack, as_user: AsUser) -> None:
    olivia, victor = as_user("olivia"), as_user("victor")
    place = f"/api/members/{known(olivia, 'victor')['id']}"
    refused(victor.api.post(f"{place}/deactivation"), 403, "forbidden")
    gone = olivia.api.post(f"{place}/deactivation")
    assert (gone.status_code, gone.json()["status"]) == (200, "inactive")
    assert olivia.api.get(place).json() == gone.json()
    with pytest.raises(Exception, match="victor"):
        as_user("victor").token("api")


def test_a_team_is_made_filled_and_emptied(stack: Stack, as_user: AsUser) -> None:
    olivia = as_user("olivia")
    made = olivia.api.post("/api/teams", json={"displayName": "Night shift"})
    assert (made.status_code, made.json()["members"]) == (201, [])
    place, adam = made.headers["Location"], known(olivia, "adam")
    filled = olivia.api.put(f"{place}/members/{adam['id']}")
    assert [member["id"] for member in filled.json()["members"]] == [adam["id"]]
    assert olivia.api.get(place, headers={"If-None-Match": filled.headers["ETag"]}).status_code == 304
    assert olivia.api.put(f"{place}/members/{adam['id']}").json() == filled.json()
    assert olivia.api.delete(f"{place}/members/{adam['id']}").status_code == 204
    assert olivia.api.get(place).json()["members"] == []

    again = refused(olivia.api.post("/api/teams", json={"displayName": "night SHIFT"}), 409, "conflict")
    assert made.json()["id"] in again["detail"]
    refused(olivia.api.put(f"{place}/members/usr_nobody"), 404, "not_found")
    refused(as_user("alice").api.put(f"{place}/members/{adam['id']}"), 403, "forbidden")
    refused(as_user("grace").api.get(place), 404, "not_found")


@pytest.mark.parametrize(
    ("path", "body", "pointer"),
    [
        ("members", {"email": "nadia", "role": "agent"}, "body.email"),
        ("members", {"email": "a@b\u0000", "role": "agent"}, "body.email"),
        ("members", {"email": f"{'a' * 65}@example.com", "role": "agent"}, "body.email"),
        ("members", {"email": "nadia@example.com", "role": "king"}, "body.role"),
        ("members", {"email": "nadia@example.com"}, "body.role"),
        ("teams", {"displayName": " "}, "body.displayName"),
        ("teams", {"displayName": "a\nb"}, "body.displayName"),
        ("teams", {"displayName": "x" * 101}, "body.displayName"),
    ],
)
def test_what_does_not_fit_is_named(member: Member, path: str, body: dict[str, Any], pointer: str) -> None:
    problem = refused(member("olivia").api.post(f"/api/{path}", json=body), 422, "invalid")
    assert [flaw["pointer"] for flaw in problem["errors"]] == [pointer]


def test_members_are_narrowed_by_role_and_status(member: Member) -> None:
    api = member("alice").api
    owners = api.get("/api/members", params={"role": "owner"}).json()["items"]
    assert {owner["role"] for owner in owners} == {"owner"}
    active = api.get("/api/members", params={"status": "active", "limit": 100}).json()["items"]
    assert {member["status"] for member in active} == {"active"}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/organizations"),
        ("GET", "/api/organizations/current"),
        ("POST", "/api/organizations/current/acceptance"),
        ("GET", "/api/members/usr_1"),
        ("POST", "/api/members/usr_1/deactivation"),
        ("GET", "/api/teams"),
        ("DELETE", "/api/teams/team_1/members/usr_1"),
        ("PATCH", "/api/tickets/ACME-1"),
        ("DELETE", "/api/tickets/ACME-1"),
        ("GET", "/api/tickets/stats?groupBy=status"),
        ("GET", "/api/tickets/ACME-1/history"),
    ],
)
def test_nobody_does_any_of_it_without_a_token(shared_stack: Stack, nobody: Any, method: str, path: str) -> None:
    answer = nobody.request(method, shared_stack.url("api") + path, json={"title": "x"} if method == "PATCH" else None)
    refused(answer, 401, "unauthenticated")
