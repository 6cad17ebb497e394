"""Who the caller is, and who else is in the organization."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import httpx
import pytest

from scenarios.services.api.answers import refused

if TYPE_CHECKING:
    from harness.person import Person
    from harness.stack import Stack

Member = Callable[[str], "Person"]


@pytest.mark.parametrize("path", ["/api/me", "/api/members"])
def test_nobody_is_told_anything_without_a_token(shared_stack: Stack, path: str, nobody: httpx.Client) -> None:
    answer = nobody.get(shared_stack.url("api") + path)
    refused(answer, 401, "unauthenticated")
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_me_is_the_caller_with_role_and_organization(member: Member) -> None:
    rita = member("rita").api.get("/api/me").json()
    assert (rita["username"], rita["displayName"], rita["role"]) == ("rita", "Rita Sørensen", "requester")
    assert rita["organization"]["slug"] == "acme"
    assert rita["organization"]["ticketPrefix"] == "ACME"
    assert member("grace").api.get("/api/me").json()["organization"]["slug"] == "globex"


def test_me_says_the_same_as_the_organizations_service(member: Member) -> None:
    alice = member("alice")
    assert alice.api.get("/api/me").json() == alice.call_tool("organizations", "whoami")


def test_members_are_those_of_the_own_organization(member: Member) -> None:
    acme, globex = names(member("alice")), names(member("grace"))
    assert {"alice", "adam", "olivia", "rita", "victor"} < acme
    assert {"grace", "gustav", "gita"} < globex
    assert acme & globex == {"nora"}  # who is in both
    assert (len(acme), len(globex)) == (40, 25)


def test_a_requester_sees_only_herself(member: Member) -> None:
    assert names(member("rita")) == {"rita"}


def test_members_come_in_pages_that_add_up(member: Member) -> None:
    api = member("alice").api
    first = api.get("/api/members", params={"limit": 16}).json()
    second = api.get("/api/members", params={"limit": 16, "cursor": first["nextCursor"]}).json()
    third = api.get("/api/members", params={"limit": 16, "cursor": second["nextCursor"]}).json()
    pages = [first, second, third]
    assert [len(page["items"]) for page in pages] == [16, 16, 8]
    assert [page["total"] for page in pages] == [40, 40, 40]
    assert third["nextCursor"] is None
    whole = api.get("/api/members", params={"limit": 100}).json()["items"]
    assert [item for page in pages for item in page["items"]] == whole


def test_members_are_found_by_a_part_of_the_name(member: Member) -> None:
    found = member("alice").api.get("/api/members", params={"query": "brandt"}).json()
    assert [member["username"] for member in found["items"]] == ["olivia"]


def test_a_token_without_the_scope_is_refused_and_told_so(
    shared_stack: Stack, member: Member, nobody: httpx.Client
) -> None:
    token = member("alice").token("api", scope="openid tickets:read")
    answer = nobody.get(shared_stack.url("api") + "/api/members", headers={"Authorization": f"Bearer {token}"})
    refused(answer, 403, "insufficient_scope")


def names(person: Person) -> set[str]:
    return {member["username"] for member in person.api.get("/api/members", params={"limit": 100}).json()["items"]}
